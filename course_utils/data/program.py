"""Tokens of a program written out again as Python, and whether Python accepts a line of them."""

import ast
import itertools
import keyword
import tokenize
import warnings
from collections.abc import Iterable, Sequence

from ..runtime import InvalidInput, require
from .source import WORDS, tokens_of
from .vocabulary import SPECIALS, Vocabulary

NEWLINE, INDENT, DEDENT = (WORDS[kind] for kind in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT))
MODULE = "<module>"
WRITTEN = {WORDS[tokenize.STRING]: "'…'", WORDS[tokenize.NUMBER]: "1", MODULE: "# a new module"}
TIGHT_BEFORE, TIGHT_AFTER = {",", ")", "]", "}", ":", ".", ";"}, {"(", "[", "{", ".", "~"}
CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
LONGEST_PROMPT = 200  # tokens
BEFORE = {"elif": "if x: pass\n", "else": "if x: pass\n", "except": "try: pass\n", "finally": "try: pass\n"}
AFTER = {"try": "\nfinally: pass"}


def as_program(tokens: Iterable[str], refused: str = "") -> str:
    """Python as people write it: `x = f ( a , <number> ) <newline>` becomes `x = f(a, 1)`.

    A string becomes '…' and a number 1, since all strings are one token and all numbers another.   refused: what follows a
    whole line that Python refuses.
    """
    lines, line, level = [], [], 0
    for token in (*tokens, None):
        if token == INDENT:
            level += 1
        elif token == DEDENT:
            level = max(0, level - 1)
        elif token in (NEWLINE, MODULE, None):
            line += [MODULE] if token == MODULE else []
            if line:
                wrong = refused and token == NEWLINE and not is_python(line)
                lines.append("    " * level + _line(line) + (refused if wrong else ""))
            line = []
        else:
            line.append(token)
    return "\n".join(lines)


def _line(tokens: Sequence[str]) -> str:
    """One line: spaces where people put them."""
    text, open_brackets, before = "", [], ""
    for token in tokens:
        inside = open_brackets[-1] if open_brackets else ""
        is_name = (before.isidentifier() and not keyword.iskeyword(before)) or before == "<unk>"
        relative = "from" in (before, tokens[0]) and (before == "from" or token == "import")  # from . import x
        joined = (
            not relative
            and (
                token in TIGHT_BEFORE
                or before in TIGHT_AFTER
                or (token in "([" and (is_name or before in (")", "]", *WRITTEN)))
                or (inside == "(" and "=" in (token, before))  # f(key=value)
                or (inside == "[" and before == ":")  # a[1:2]
                or (before in ("*", "**", "-", "@") and text[: -len(before)].rstrip()[-1:] in ("", *"([{,=:"))
            )
        )
        text += ("" if joined or not text else " ") + WRITTEN.get(token, token)
        if token in CLOSED_BY:
            open_brackets.append(token)
        elif open_brackets and token == CLOSED_BY[open_brackets[-1]]:
            open_brackets.pop()
        before = token
    return text


def lines_of(tokens: Iterable[str]) -> list[list[str]]:
    """The logical lines that are complete, each without its layout."""
    *whole, _ = [
        [token for token in group if token not in (INDENT, DEDENT, MODULE)]
        for is_end, group in itertools.groupby([*tokens, ""], lambda token: token == NEWLINE)
        if not is_end
    ]
    return [line for line in whole if line]


def is_python(line: Sequence[str]) -> bool:
    """Whether Python's parser accepts a line; what a header such as `else:` belongs to is put around it."""
    text = _line(line)
    if text.startswith("@"):
        text += "\ndef f(): pass"
    elif text.endswith(":"):
        first = line[0]
        text = f"{BEFORE.get(first, '')}{text} pass{AFTER.get(first, '')}"
        text = f"match x:\n case {text[5:]}" if first == "case" else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # `1 is x` is Python, if not a good one
            ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def typed_program(text: str, vocabulary: Vocabulary) -> list[int]:
    """The beginning of a program as a person types it, as indices. It begins a line of its own.

    Empty text, text that is no Python and more than 200 tokens raise `InvalidInput`; names that the vocabulary does not
    hold raise `UnknownWords`.
    """
    require(text.strip(), "The prompt is empty: type the beginning of a line of Python, such as `def close(`.")
    try:
        tokens = tokens_of(text, unfinished=True)
    except (SyntaxError, tokenize.TokenError) as error:
        raise InvalidInput(f"This is no beginning of a Python program: {error}.") from None
    require(tokens, "The prompt holds no token of Python: type the beginning of a line, such as `def close(`.")
    require(len(tokens) <= LONGEST_PROMPT, f"The prompt has {len(tokens):,} tokens; at most {LONGEST_PROMPT} are read.")
    return vocabulary.encode(" ".join([NEWLINE, *tokens]))


def never_written(vocabulary: Vocabulary) -> tuple[int, ...]:
    """What is left out when a model writes: the special symbols, `<unk>` among them."""
    return tuple(vocabulary[word] for word in SPECIALS)
