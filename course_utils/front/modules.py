"""The ES modules of this folder joined to one text, for widgets and for pages.

`import` finds no file from within a widget, and a browser refuses modules from `file://`. So each module becomes a function
that is called once, in the order in which they need each other, and an import reads what an earlier one gave back.
"""

import base64
import functools
import gzip
import hashlib
import json
import pathlib
import re

from ..runtime import asset

FOLDER = pathlib.Path(__file__).parent
MODULES = (
    "dom",
    "plain",
    "machine",
    "figure",
    "question",
    "grading",
    "page",
    "main",
)  # each after those that it imports
_IMPORT = re.compile(r'^import (?:(\w+)(?:, )?)?(\{[^}]*\})? ?from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|let|function|class) (\w+))", re.MULTILINE)


def _read_instead(match: re.Match) -> str:
    default, names, module = match.groups()
    parts = ([f"default: {default}"] if default else []) + ([names.strip("{} ").replace(" as ", ": ")] if names else [])
    return f"const {{ {', '.join(parts)} }} = ${module};"


def joined() -> str:
    """One script without imports that defines `$main`."""
    parts = []
    for name in MODULES:
        text = _IMPORT.sub(_read_instead, (FOLDER / f"{name}.js").read_text(encoding="utf-8"))
        exported = _EXPORT.findall(text)
        text = _EXPORT.sub("", text)
        if "\nexport default " in text:
            text, exported = text.replace("\nexport default ", "\nconst $default = "), [*exported, "default: $default"]
        parts.append(f"const ${name} = (() => {{\n{text}\nreturn {{ {', '.join(exported)} }};\n}})();\n")
    return '"use strict";\n' + "".join(parts)


def style() -> str:
    """The style sheet of what the modules show."""
    return (FOLDER / "front.css").read_text(encoding="utf-8")


def for_widgets() -> str:
    """The module that a view loads: the joined text, which brings its style along."""
    sheet = (
        'document.head.append(Object.assign(document.createElement("style"), '
        f"{{ textContent: {json.dumps(style())} }}));\n"
    )
    return f"{joined()}{sheet}export const {{ render, plotlyFrom }} = $main;\n"


def for_pages(phrases: dict[str, str]) -> str:
    """The script of a page: the phrases, the joined text, and the call that begins."""
    return (
        f"globalThis.coursePhrases = {json.dumps(phrases, ensure_ascii=False)};\n(() => {{\n{joined()}"
        'document.addEventListener("DOMContentLoaded", $main.start);\n})();\n'
    )


def plotly() -> str:
    """Plotly's script, the part for plots with two axes (see `data/README.md`)."""
    return asset("scripts/plotly-cartesian.min.js").read_text(encoding="utf-8")


@functools.cache
def packed() -> dict[str, str]:
    """What a kernel sends once: the module and Plotly, compressed, as text that every front end carries; and their digest."""
    texts = {"modules": for_widgets(), "plotly": plotly()}
    digest = hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:16]
    small = {name: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode() for name, text in texts.items()}
    return {**small, "digest": digest}
