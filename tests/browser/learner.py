"""What a patient learner tries: every wrong answer to a question that is foreseen, then the right one."""


def answers(question):
    """Each answer to try, wrong ones first, and whether it is right."""
    kind = question.kind
    if kind == "predict":
        return [(i, None) for i in range(len(question.options))]
    if kind == "numeric":
        return [(f"{slip.value:g}", False) for slip in question.slips] + [(f"{question.answer:.6g}", True)]
    if kind == "shape":
        return [(", ".join(slip.value), False) for slip in question.slips] + [(f"({', '.join(question.answer)})", True)]
    if kind == "multiple":
        wrong = [i for i in range(len(question.options)) if i not in question.answer]
        return [(wrong, False), (list(question.answer[:1]), len(question.answer) == 1), (list(question.answer), True)]
    if kind == "order":
        return [(list(range(len(question.items))), True)]
    if kind == "hunt":
        lines = [line for line in range(1, 1 + len(question.lines)) if question.holds_code(line)]
        symptoms = sorted(range(len(question.options)), key=lambda i: question.options[i].correct)
        every = [
            (line, symptom) for symptom in symptoms for line in sorted(lines, key=lambda line: line == question.wrong)
        ]
        return [([line, symptom], (line, symptom) == every[-1]) for line, symptom in every]
    if kind == "match":
        right = list(range(len(question.pairs)))
        return [(right[1:] + right[:1], False), (right, True)]
    return sorted(((i, option.correct) for i, option in enumerate(question.options)), key=lambda pair: pair[1])
