"""What the documents name exists: targets of make, commands of `course`, settings, files, headings, layers, chapters."""

import json
import pathlib
import re
import shlex
import tomllib

import pytest
import typer

from course_utils.cli import app

pytestmark = pytest.mark.plain

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    ROOT / "benchmarks" / "NOTES.md",
    ROOT / "data" / "README.md",
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(DOCUMENTS)}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv").replace("$(BIN)", ".venv/bin")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHON = [path for folder in ("course_utils", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")]
SPANS = re.compile(r"``(.+?)``|`([^`\n]+)`", re.S)
FENCES = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# Written by commands, by the build of a wheel, or an example of docs/contributing/, which test_contributing.py runs.
MADE = re.compile(r"(\.venv|site|slides|workbook|handout|dist)(/|$)|.*(_assets|ch98|98_half_lives|half_lives)\b")
FOLDERS = ("course_utils", "benchmarks", "data/weights")  # of which a document may leave out the name


@pytest.fixture(params=TEXTS)
def text(request):
    return TEXTS[request.param]


def code(text):
    """Each piece of code in a document: lines of its shell blocks, and what stands between backticks."""
    for language, block in FENCES.findall(text):
        yield from block.splitlines() if language in ("sh", "powershell") else ()
    for spans in SPANS.findall(FENCES.sub("", text)):
        yield " ".join("".join(spans).split())


def commands(text, name):
    """The arguments of each call of a program that a document shows."""
    for line in code(text):
        for call in re.split(r"&&|\|\||[|;#]", line):
            words = shlex.split(call.strip().replace("\\", "/"), posix=True) if call.count('"') % 2 == 0 else []
            words = words[next((i for i, word in enumerate(words) if not re.match(r"[A-Z_]+=", word)), 0) :]
            if words and words[0].lstrip("!").rpartition("/")[2] == name:
                yield words[1:]


def missing_targets(words):
    """Of the arguments of a `make`, those that the Makefile knows nothing of."""
    for word in words:
        name = word.partition("=")[0]
        known = rf"\$\({name}\)|\$\(if \$\({name}\)|^{name} [?:]=" if "=" in word else rf"^{re.escape(name)}:"
        if not word.startswith("-") and not re.search(known, MAKEFILE, re.M):
            yield word


def test_every_target_of_make_exists(text):
    for words in commands(text, "make"):
        assert not list(missing_targets(words)), f"make {' '.join(words)}"


def complaint(words):
    """What `course` has against these arguments, or None; nothing is run."""
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    try:
        command.make_context("course", [*words], resilient_parsing=not words)
    except Exception as error:  # of click, or of typer's own copy of it
        if type(error).__name__ == "MissingParameter":
            return None  # a text may name a command without its arguments
        return error.format_message()


def test_every_command_of_course_exists_with_its_options(text):
    for words in commands(text, "course"):
        assert complaint(words) is None, f"course {' '.join(words)}"


def test_every_setting_is_read_somewhere(text):
    names = {name for piece in code(text) for name in re.findall(r"(?<![\w-])([A-Z][A-Z_]{3,})=", piece)}
    for name in names - {"JAX_DEFAULT_MATMUL_PRECISION", "XLA_PYTHON_CLIENT_PREALLOCATE"}:  # jax's own
        read = f"$({name})" in MAKEFILE or any(
            f'"{name}"' in path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.py")
        )
        assert read or any(f'"{name}' in path.read_text(encoding="utf-8") for path in PYTHON), name


def named_files(text):
    """What looks like a file or folder of the repository in a document's code, as a pattern."""
    for piece in code(text):
        for word in piece.split():
            word = word.strip("(),;:")
            like = re.fullmatch(r"[\w.*/-]*[a-z][\w.*/-]*", word) and not word.startswith(("/", "-", "..."))
            if like and (
                "/" in word or re.search(r"\w\.(md|py|ya?ml|json|toml|txt|png|cfg|ipynb|safetensors|js)$", word)
            ):
                pattern = word.replace("NN", "[0-9][0-9]")
                if not MADE.match(pattern) and not re.search(
                    r"(?<![A-Z])(?!README|CONTRIBUTING|CHANGELOG|NOTES)[A-Z]{3,}", pattern
                ):
                    yield pattern.rstrip("/").removeprefix("./")


OUTSIDE = {  # a learner's own files, other people's repositories, a second machine
    "README.md": {"ada.json"},
    "docs/teaching.md": {"*.json", "report.md", "learners.csv", "all.csv", "handout/01", "source/ch01"},
    "docs/serving.md": {"learners.txt"},
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_named_exists(name):
    for pattern in set(named_files(TEXTS[name])) - OUTSIDE.get(name, set()):
        folders = [ROOT, (ROOT / name).parent, *(ROOT / folder for folder in FOLDERS)]
        assert any(any(folder.glob(pattern)) for folder in folders), pattern


def anchors(text):
    """What a link may point to in a document: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", FENCES.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", SPANS.sub("", FENCES.sub("", TEXTS[name]))):
        if not re.match(r"https?://", target):
            file, _, anchor = target.partition("#")
            path = (ROOT / name).parent / file if file else ROOT / name
            assert path.exists(), target
            assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target


def test_contributing_is_short():
    lines = TEXTS["CONTRIBUTING.md"].splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 140


def rows(text, heading):
    """First cells of the table under a heading, as the names between their backticks."""
    part = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (.*?) \|", part, re.M)
    return [names for cell in cells if (names := re.findall(r"`(.+?)`", cell))]


def test_the_table_of_layers_is_the_contract_that_is_checked():
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]
    layers = [name for line in reversed(contract["layers"]) for name in line.split(" | ")]
    place = {name: i for i, line in enumerate(contract["layers"]) for name in line.split(" | ")}
    table = rows(TEXTS["CONTRIBUTING.md"], "How the code is laid out")
    assert sorted(name for names in table for name in names) == sorted(layers)
    lowest = [max(place[name] for name in names) for names in table]
    assert lowest == sorted(lowest, reverse=True)


def test_the_first_targets_are_those_of_every_change():
    every_change = re.findall(r"^step make (\w[\w-]*)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)
    table = [names[0].removeprefix("make ") for names in rows(TEXTS["CONTRIBUTING.md"], "Test")]
    assert table[: len(every_change)] == every_change


def test_every_mark_of_a_test_that_is_named_exists():
    marks = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert set(re.findall(r"marked `(\w+)`", TEXTS["CONTRIBUTING.md"])) == marks


def test_the_readme_lists_every_chapter_by_its_title():
    listed = re.findall(r"^\| (\d\d) \| \[(.+?)\]\((notebooks/.+?)\) \|", TEXTS["README.md"], re.M)
    titles = []
    for path in sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        number, title = re.match(r"# (\d\d) · (.+)", first).groups()
        titles.append((number, title, f"notebooks/{path.name}"))
    assert listed == titles


@pytest.mark.parametrize(
    ("words", "wrong"),
    [("test", []), ("-j2 test CHAPTERS=04", []), ("tset", ["tset"]), ("test CHAPTER=04", ["CHAPTER=04"])],
)
def test_a_wrong_target_would_be_noticed(words, wrong):
    assert list(missing_targets(words.split())) == wrong


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("reproduce 01 --out x", None), ("progress class", None), ("reproduce 01 --output x", "No such option"),
        ("progress klass", "no command"), ("reproduze 01", "no command"),
    ],
)  # fmt: skip
def test_a_wrong_command_would_be_noticed(words, wrong):
    found = complaint(words.split())
    assert found is None if wrong is None else wrong in found
