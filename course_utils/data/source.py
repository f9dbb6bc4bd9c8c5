"""Real text that every machine has: the source of Python's own standard library, as tokens.

A language model of program text needs memory that words of a small grammar do not: names come back after many
lines, brackets and indentation close what was opened.
"""

import collections
import functools
import keyword
import pathlib
import sysconfig
import tokenize
import warnings
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ..runtime import CourseError, asset, require, require_positive
from .batching import Padded
from .vocabulary import Vocabulary

LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "lib2to3", "pydoc_data", "encodings", "__pycache__"}
SHARE_FOR_TEST = 10  # one module in so many
WORDS = {
    tokenize.STRING: "<string>", tokenize.NUMBER: "<number>", tokenize.NEWLINE: "<newline>", tokenize.INDENT: "<indent>",
    tokenize.DEDENT: "<dedent>",
}  # fmt: skip


def tokens_of(text: str, unfinished: bool = False) -> list[str]:
    """Program text as words: names and operators as they are written, literals and layout as one word for each kind.

    Comments and empty lines are left out. Text that is not Python raises `SyntaxError` or `tokenize.TokenError`.
    unfinished: it may end anywhere; what Python adds at an end is left out.
    """
    words: list[str] = []
    try:
        _collect(text, words)
    except tokenize.TokenError as error:
        if not (unfinished and str(error.args[0]).startswith(("EOF in", "unexpected EOF"))):
            raise
    while unfinished and words and words[-1] in (WORDS[tokenize.NEWLINE], WORDS[tokenize.DEDENT]):
        words.pop()
    return words


def _collect(text: str, words: list[str]) -> None:
    """Put the words of a program behind one another, up to where it cannot be read."""
    lines = iter(text.splitlines(keepends=True))
    inside = 0
    for token in tokenize.generate_tokens(lambda: next(lines, "")):
        kind = tokenize.tok_name[token.type]
        if kind == "ERRORTOKEN" and token.string.strip():  # Python 3.11 goes on where later ones raise
            raise tokenize.TokenError(f"{token.string!r} begins nothing that Python knows", token.start)
        if kind == "FSTRING_START":  # from Python 3.12 on a formatted string is several tokens
            inside += 1
        elif kind == "FSTRING_END":
            inside -= 1
            words.extend(["<string>"] if not inside else [])
        elif not inside and token.type in WORDS:
            words.append(WORDS[token.type])
        elif not inside and token.type in (tokenize.NAME, tokenize.OP):
            words.append(token.string)


def _modules(root: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Python files below a folder, by top-level module."""
    modules = collections.defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        name = parts[0].removesuffix(".py")
        if name.isidentifier() and name not in LEFT_OUT and not LEFT_OUT & set(parts[:-1]):
            modules[name].append(path)
    return modules


def _read(files: Iterable[pathlib.Path]) -> list[str]:
    """The words of files, one after another; those that this Python cannot read are left out."""
    words = []
    for path in files:
        try:
            with tokenize.open(path) as file:
                words += tokens_of(file.read())
        except (OSError, SyntaxError, UnicodeError, tokenize.TokenError):
            continue  # a template, or a file for another version of Python
    return words


class Source(NamedTuple):
    """Program text for training and for testing, which share no module."""

    train: Int[np.ndarray, " tokens"]
    test: Int[np.ndarray, " tokens"]
    vocabulary: Vocabulary
    modules: tuple[tuple[str, ...], tuple[str, ...]]  # names, for training and for testing
    origin: str


@functools.cache
def shipped_words() -> Vocabulary:
    """The 1,000 most frequent tokens of Python 3.12's standard library: what the shipped models of program text know."""
    return Vocabulary(asset("vocabularies/python.txt").read_text(encoding="utf-8").split())


@functools.cache
def python_source(words: int = 1_500, vocabulary: Vocabulary | None = None) -> Source:
    """The standard library of this Python as two streams of tokens, with the `words` most frequent ones as vocabulary.

    vocabulary: takes the place of those.

    A top-level module is for testing when a checksum of its name says so, so that the split is the same on every
    machine. A name that is not in the vocabulary becomes `<unk>`. Where a Python comes without its source, the packages
    installed with this course are read instead, and a warning says so.
    """
    require_positive(words=words)
    root, origin = pathlib.Path(sysconfig.get_path("stdlib")), "the standard library"
    modules = _modules(root)
    if sum(map(len, modules.values())) < 20:
        packages = pathlib.Path(sysconfig.get_path("purelib"))
        warnings.warn(
            f"This Python came without the source of its standard library ({root}); reading the packages in {packages} "
            "instead. Numbers will differ from those in the text.",
            stacklevel=2,
        )
        modules, origin = _modules(packages), "installed packages"
        if sum(map(len, modules.values())) < 20:
            raise CourseError(f"There is no Python source to read, neither in {root} nor in {packages}.")
    texts: tuple[list[str], list[str]] = ([], [])
    names: tuple[list[str], list[str]] = ([], [])
    for name, files in sorted(modules.items()):
        part = int(zlib.crc32(name.encode()) % SHARE_FOR_TEST == 0)
        texts[part].extend(["<module>", *_read(files)])
        names[part].append(name)
    vocabulary = vocabulary or _most_frequent(texts[0], words)
    index = {word: i for i, word in enumerate(vocabulary.words)}
    streams = [np.array([index.get(word, vocabulary.unk) for word in text], np.int32) for text in texts]
    return Source(streams[0], streams[1], vocabulary, (tuple(names[0]), tuple(names[1])), origin)


def _most_frequent(text: list[str], count: int) -> Vocabulary:
    """Python's keywords, and the other words that come most often."""
    counts = collections.Counter(text)
    frequent = sorted(set(counts) - set(keyword.kwlist), key=lambda word: (-counts[word], word))
    return Vocabulary([*keyword.kwlist, *frequent[: max(0, count - len(keyword.kwlist))]])


class Windows:
    """Batches of `size` pieces of `length` tokens, cut out of a stream at random positions."""

    def __init__(self, stream: Int[np.ndarray, " tokens"], size: int, length: int):
        require_positive(size=size, length=length)
        require(length <= len(stream), f"Windows of {length} tokens cannot be cut out of a stream of {len(stream)}.")
        self.stream, self.size, self.length = jnp.asarray(stream), size, length

    def bucket(self, step: int) -> int:
        """All batches have one shape."""
        return 0

    def examples(self, bucket: int) -> Any:
        """The stream."""
        return self.stream

    def draw(self, examples: Int[Array, " tokens"], rng: Array) -> Padded:
        """A batch of pieces. Can be compiled."""
        starts = jax.random.randint(rng, (self.size, 1), 0, examples.shape[0] - self.length + 1)
        tokens = examples[starts + jnp.arange(self.length)]
        return Padded(tokens, jnp.ones_like(tokens, bool))

    def __call__(self, step: int, rng: Array) -> Padded:
        """The batch of step number `step`."""
        return self.draw(self.stream, rng)
