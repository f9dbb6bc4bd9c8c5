"""A quiz bank with every kind of question, for tests."""

WHY = "It is so because of the reason that the chapter gives."


def why(text):
    return f"{WHY} {text}"


KINDS = {
    "chapter": "ch42",
    "title": "Kinds",
    "objectives": {"one": "The objective"},
    "questions": [
        {
            "id": "ch42-many", "kind": "multiple", "objective": "one", "section": "1 · One", "prompt": "Which?",
            "options": [
                {"text": "a", "why": why("A."), "correct": True},
                {"text": "b", "why": why("B.")},
                {"text": "c", "why": why("C."), "correct": True},
            ],
        },
        {
            "id": "ch42-shape", "kind": "shape", "objective": "one", "section": "1 · One",
            "prompt": "The shape of the states, for a batch of 32?",
            "answer": [32, "time", "hidden"], "why": why("Shape."), "otherwise": why("Think."),
            "slips": [{"value": ["time", 32, "hidden"], "why": why("Time first.")}],
        },
        {
            "id": "ch42-order", "kind": "order", "objective": "one", "section": "1 · One", "prompt": "In which order?",
            "items": [{"text": name, "why": why(f"Item {name}.")} for name in ("first", "second", "third")],
        },
        {
            "id": "ch42-match", "kind": "match", "objective": "one", "section": "1 · One",
            "prompt": "What goes together?",
            "pairs": [{"left": f"${x}$", "right": f"the {x}", "why": why(f"Pair {x}.")} for x in "abc"],
            "spare": [{"text": "nothing", "why": why("Spare.")}],
        },
        {
            "id": "ch42-varied", "kind": "numeric", "objective": "one", "section": "1 · One",
            "prompt": "A square of side [[side]] and height [[height]]?",
            "variables": {"side": [2, 3, 5], "height": [7, 11]},
            "answer": "side * height", "tolerance": 0, "why": why("[[side]] times [[height]] is [[side * height]]."),
            "otherwise": why("Multiply."), "slips": [{"value": "side + height", "why": why("Added.")}],
        },
        {
            "id": "ch42-hunt", "kind": "hunt", "objective": "one", "section": "1 · One", "prompt": "What is wrong?",
            "code": "def step(h, C, x, W, b):\n    # the sum < & >\n\n    C = C - x\n    h = tanh(C)\n    return h, C",
            "wrong": 4, "mended": "C = C + x", "why": why("Minus."), "otherwise": why("Another line."),
            "suspects": [{"line": 5, "why": why("Squashed.")}], "symptom": "What would you see?", "trains": "lstm_recall",
            "options": [{"text": "falls", "why": why("Falls."), "correct": True}, {"text": "rises", "why": why("Rises.")}],
        },
    ],
}  # fmt: skip
