"""How a chapter reads, counted: its path, what is deeper, its sentences, and the minutes that it takes.

The numbers are a lint. A text may keep all of them and be dull; read it aloud as well.
"""

import json
import pathlib
import re
from typing import Any, NamedTuple

LESSONS = (
    "00_start_here",
    "01_recurrence",
    "02_gradients_through_time",
    "03_gates",
)  # the chapters of the second draft
BENCHMARK = pathlib.Path(__file__).parents[2] / "benchmarks" / "recorded" / "notebooks.json"
CAVEAT = re.compile(
    r"\b(not|never) (been )?(tested|measured|tried|said|counted|searched|varied)\b"
    r"|\b(did|could|have|has) (not|n['’]t) (been )?(test|measure|try|tried|search|vary|varied)\w*|\b(left|remains) open\b",
    re.IGNORECASE,
)
GERMAN = re.compile(
    r"\b(stands|stand|lies) (above|under|below|behind|before|beside|in the)\b|\bin turn\b|\bof its own\b|\bwill not do\b"
    r"|\bis not said\b|\bsquashing\b|\blogistic function\b|\breaders? without\b|\bone behind the other\b",
    re.IGNORECASE,
)  # words that are not said like this in English, or that the field does not use
ADDRESSED = re.compile(r"\b(you|your|yours|we|our|us)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(not|no|never|none|nothing|cannot|nor|\w+n['’]t)\b", re.IGNORECASE)
COUNTED = {  # of the main path: what a learner does, by the code that asks for it → minutes
    r"\b\w+\.check\(": 8, r"\b(predict|hunt)\(": 1, r"\bexplorers\.\w+\(": 2,
}  # fmt: skip


class Reading(NamedTuple):
    """What was counted."""

    words: int  # of the main path
    deeper: int  # words under Going deeper
    sentences: list[str]
    longest_cell: int  # words of a text cell
    addressed: float  # you and we, of 1,000 words
    negations: float
    bracketed: float  # share of words in brackets
    caveats: list[str]  # outside of Limits
    foreign: list[str]
    unsaid: list[str]  # what stands before a code cell and has no verb: its last line, ending in a colon
    bare: list[str]  # results that are a bare Python value
    minutes: float  # of the main path with its quiz

    @property
    def mean_sentence(self) -> float:
        """Words of a sentence."""
        return sum(len(sentence.split()) for sentence in self.sentences) / max(len(self.sentences), 1)


def plain(text: str) -> str:
    """Prose without formulas, code, links and headings; what stands in tables and in HTML counts."""
    for pattern, other in (
        (r"```.*?```", " "), (r"</?\w+[^>]*>", " "), (r"\$\$.*?\$\$", " "), (r"\$[^$]*\$", "x"), (r"`[^`]*`", "x"),
        (r"\[([^\]]*)\]\([^)]*\)", r"\1"),
    ):  # fmt: skip
        text = re.sub(pattern, other, text, flags=re.DOTALL)
    lines = [re.sub(r"[|*_>]", " ", line) for line in text.splitlines() if not re.match(r"\s*(#|\|[\s:|-]+$)", line)]
    return "\n".join(lines)


def words(text: str) -> list[str]:
    """The words of a plain text."""
    return re.findall(r"[\w’'-]+", text)


def sentences(text: str) -> list[str]:
    """The sentences of a plain text; an item of a list and a row of a table end one."""
    parts = re.split(r"(?<=[.!?:])\s+(?=[A-Z“\"(x])|\n\s*\n|\n\s*(?:[-•]|\d+\.)\s+|\n(?=\s{2,})", text)
    return [part.strip() for part in parts if len(part.split()) > 1]


def read(path: pathlib.Path, questions: int) -> Reading:
    """A notebook's text before its references, and its results. `questions`: of the quiz."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts: list[tuple[str, str]] = []  # which part of the chapter a text cell is in, and the text
    unsaid, bare, minutes, part = [], [], 0.0, "path"
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    machines = "|".join(
        re.findall(r"\w+", " ".join(re.findall(r"^from course_utils\.machines\.\w+ import (.+)", code, re.MULTILINE)))
    )
    counted = COUNTED | ({rf"\b(show\(|typed\()({machines})\b": 2} if machines else {})
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            bare += [f"cell {number}: {value}" for value in map(_bare, cell.get("outputs", [])) if value]
            if part != "deeper":
                minutes += sum(m for pattern, m in counted.items() if re.search(pattern, source))
            continue
        for title in re.findall(r"^## (.+)$", source, re.MULTILINE):
            part = {"Going deeper": "deeper", "Limits": "limits", "References": "end"}.get(title, "path")
        if part == "end":
            break
        texts.append((part, plain(source)))
        last = (sentences(texts[-1][1]) or [""])[-1]
        follows = number + 1 < len(cells) and cells[number + 1]["cell_type"] == "code"
        if follows and last.endswith(":") and len(last.split()) < 10:
            unsaid.append(f"cell {number}: {last}")
    count = {
        which: sum(len(words(text)) for part, text in texts if (part == "deeper") is which) for which in (True, False)
    }
    everything = "\n\n".join(text for _, text in texts)
    per_thousand = 1000 / max(len(words(everything)), 1)
    waited = json.loads(BENCHMARK.read_text(encoding="utf-8"))["notebooks"][path.stem]["warm"]["seconds"]
    return Reading(
        words=count[False], deeper=count[True], sentences=sentences(everything),
        longest_cell=max(len(words(text)) for _, text in texts),
        addressed=len(ADDRESSED.findall(everything)) * per_thousand,
        negations=len(NEGATION.findall(everything)) * per_thousand,
        bracketed=sum(len(words(inside)) for inside in re.findall(r"\(([^()]*)\)", everything)) * per_thousand / 1000,
        caveats=[m.group() for part, text in texts if part != "limits" for m in CAVEAT.finditer(text)],
        foreign=[m.group() for _, text in texts for m in GERMAN.finditer(text)],
        unsaid=unsaid, bare=bare, minutes=minutes + questions + count[False] / 120 + waited / 60,
    )  # fmt: skip


def _bare(output: dict[str, Any]) -> str | None:
    """A result that is a Python value as it is printed, or None."""
    data = output.get("data", {})
    if output["output_type"] == "stream":
        text = "".join(output["text"]).strip()
        return text[:40] if text.startswith(("(", "[", "{")) or "Array(" in text else None
    value = "".join(data.get("text/plain", ""))
    is_value = re.match(r"[(\[{'\"]|True$|False$|-?[\d.e+-]+$|Array\(|array\(", value)
    return value[:40] if set(data) == {"text/plain"} and is_value else None
