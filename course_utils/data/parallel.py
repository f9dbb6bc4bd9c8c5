"""Real text in two languages: Multi30k, or files of your own.

Multi30k is not part of the course. `multi30k` downloads it when asked to, from its public repository, checks every
file and keeps it in the cache; `COURSE_DATA_DIR` names a folder that holds the files already. It may be used for
research and education, not commercially: Elliott, Frank, Sima'an, Specia (2016), *Multi30K: Multilingual
English–German Image Descriptions*; its French by Elliott, Frank, Barrault, Bougares, Specia (2017).
"""

import gzip
import hashlib
import io
import itertools
import os
import pathlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, SupportsInt, get_args

from ..runtime import CourseError, InvalidInput, cache, require, require_positive
from .batching import Parallel, pad
from .vocabulary import SPECIALS, Vocabulary

ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/2cc0f2d7c615b60e07e2d51bb5edc004444d7e0e/data/task1/raw/"
SHA_256 = {
    "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    "test_2016_flickr.fr.gz": "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.fr.gz": "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.fr.gz": "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
}
Language = Literal["de", "en", "fr"]
Split = Literal["train", "val", "test_2016_flickr"]


class NotDownloaded(CourseError):
    """A file that could not be had, or was not the one expected. The generated corpus needs none."""


class Texts(NamedTuple):
    """Sentences in two languages, one for one."""

    source: list[str]
    target: list[str]


def multi30k(source: Language | str, target: Language | str, split: Split | str, address: str = ADDRESS) -> Texts:
    """Sentences of Multi30k, as they are written: 29,000 to train on, 1,014 to validate, 1,000 to test.

    `address`: where the files are downloaded from. Raises `NotDownloaded` where a file cannot be had or is another than
    it should be; nothing of such a file is kept.
    """
    for name, language in (("source", source), ("target", target)):
        require(
            language in get_args(Language), f"{name} must be one of {', '.join(get_args(Language))}, not {language!r}."
        )
    require(source != target, f"Source and target are both {source!r}: name two languages.")
    require(split in get_args(Split), f"split must be one of {', '.join(get_args(Split))}, not {split!r}.")
    files = [_file(f"{split}.{language}.gz", address) for language in (source, target)]
    return Texts(*(list(column) for column in zip(*read_lines(*files), strict=True)))  # type: ignore[arg-type]


def _file(name: str, address: str) -> pathlib.Path:
    """A checked file: from `COURSE_DATA_DIR`, from the cache, or downloaded into it."""
    local = os.environ.get("COURSE_DATA_DIR")
    if local:
        path = pathlib.Path(local).expanduser() / name
        if not path.exists():
            raise NotDownloaded(f"COURSE_DATA_DIR is {local}, but there is no {name} in it.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA_256[name]:
            raise NotDownloaded(f"{path} is not the file of Multi30k that the course knows (its SHA-256 differs).")
        return path
    import pooch  # only who asks for real text needs it

    folder = cache() / "multi30k"
    try:
        return pathlib.Path(
            pooch.retrieve(address + name, f"sha256:{SHA_256[name]}", fname=name, path=folder, progressbar=False)
        )
    except ValueError as error:  # pooch: the hash differs; what it downloaded is removed already
        raise NotDownloaded(
            f"{name} from {address} is not the file that the course knows: it is damaged or was changed. Nothing of it was kept. "
            "Try again, or go on with the generated corpus."
        ) from error
    except Exception as error:  # no network, no such address, a disk that is full
        raise NotDownloaded(
            f"{name} could not be downloaded from {address} ({type(error).__name__}). Is there a network? Put the file into a "
            "folder and name it in COURSE_DATA_DIR, or go on with the generated corpus."
        ) from error


# ----------------------------------------------------------------------------------------------- files of your own


def read_lines(source: str | os.PathLike, target: str | os.PathLike) -> Iterator[tuple[str, str]]:
    """Pairs from two files whose lines belong together, one after another: files of any length fit into memory.

    UTF-8, plain or `.gz`. A file that ends before the other raises when that line is reached.
    """
    missing = object()
    for number, (a, b) in enumerate(itertools.zip_longest(_lines(source), _lines(target), fillvalue=missing), 1):
        shorter = source if a is missing else target
        require(
            a is not missing and b is not missing,
            f"{os.fspath(shorter)} ends before line {number}: both files must have the same number of lines.",
        )
        yield a, b  # type: ignore[misc]


def read_tsv(path: str | os.PathLike, columns: tuple[int | str, int | str] = (0, 1)) -> Iterator[tuple[str, str]]:
    """Pairs from two columns of a file of tab-separated values, one after another.

    `columns`: numbers from 0, or names that stand in the first line (which is then left out). UTF-8, plain or `.gz`. Empty
    lines are left out.
    """
    named = [column for column in columns if isinstance(column, str)]
    places: list[int] | None = None if named else [int(column) for column in columns]
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if places is None:
            unknown = [column for column in named if column not in cells]
            require(not unknown, f"{os.fspath(path)} has no column {unknown}; its first line names {cells}.")
            places = [cells.index(column) if isinstance(column, str) else int(column) for column in columns]
            continue
        require(
            len(cells) > max(places),
            f"Line {number} of {os.fspath(path)} has {len(cells)} column{'s' if len(cells) > 1 else ''}; "
            f"columns {tuple(columns)} were asked for. Are they separated by tabs?",
        )
        yield cells[places[0]], cells[places[1]]


def _lines(path: str | os.PathLike) -> Iterator[str]:
    path = pathlib.Path(path).expanduser()
    require(path.is_file(), f"There is no file {path}.")
    opener: Any = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007
                yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        require(
            False,
            f"{path} is not UTF-8 text (after line {number}: {error.reason}). Save it as UTF-8, or convert it: "
            "iconv -f LATIN1 -t UTF-8.",
        )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        require(False, f"{path} is not a whole gzip file (after line {number}: {error}).")


def texts(pairs: Iterable[tuple[str, str]], most: int | None = None) -> Texts:
    """The first `most` pairs (None: all) that are not empty on either side, as lists."""
    if most is not None:
        require_positive(most=most)
    kept = itertools.islice((pair for pair in pairs if pair[0].strip() and pair[1].strip()), most)
    columns = list(zip(*kept, strict=True))
    require(columns, "There are no pairs: there is no line, or every line is empty on one side.")
    return Texts(list(columns[0]), list(columns[1]))


# ----------------------------------------------------------------------------------------------------- words, pieces


def words(sentence: str, lower: bool = True) -> str:
    """Running text as words apart from each other: punctuation is a word of its own, `l'` keeps its apostrophe."""
    found = re.findall(r"\w+['’]|\w+|[^\w\s]", sentence.lower() if lower else sentence)
    return " ".join(found)


class Subwords:
    """Pieces of words, learned from text: no word is unknown that is written in known letters.

    Byte-pair encoding (Sennrich, Haddow, Birch 2016), by the library `sentencepiece`. Used like a `Vocabulary`: the same
    four special symbols come first, `encode` gives indices, `decode` gives text.
    """

    pad, bos, eos, unk = range(4)

    def __init__(self, model: bytes):
        from sentencepiece import SentencePieceProcessor

        self._pieces: Any = SentencePieceProcessor(model_proto=model)
        self.words: tuple[str, ...] = tuple(self._pieces.id_to_piece(i) for i in range(self._pieces.get_piece_size()))

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int = 8_000) -> "Subwords":
        """The `size` most useful pieces of these sentences; fewer where the sentences do not hold so many."""
        require_positive(size=size)
        from sentencepiece import SentencePieceTrainer

        trainer: Any = SentencePieceTrainer
        written, names = io.BytesIO(), dict(zip(("pad", "bos", "eos", "unk"), SPECIALS, strict=True))
        try:
            trainer.train(
                sentence_iterator=iter(sentences), model_writer=written, vocab_size=size, model_type="bpe",
                hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
                **{f"{name}_id": getattr(cls, name) for name in names},
                **{f"{name}_piece": text for name, text in names.items()},
            )  # fmt: skip
        except RuntimeError as error:
            raise InvalidInput(f"{size} pieces cannot be learned from these sentences: {error}") from None
        return cls(written.getvalue())

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"Subwords({len(self)} pieces, 4 of them special)"

    def encode(self, sentence: str, unknown: Literal["error", "mark"] = "mark") -> list[int]:
        """Indices of the pieces of a sentence; letters never seen become `<unk>`, or raise with `unknown="error"`."""
        require(sentence.strip(), "The sentence is empty: type at least one word.")
        found = self._pieces.encode(sentence)
        require(
            unknown == "mark" or self.unk not in found, f"{sentence!r} holds letters that these pieces do not know."
        )
        return found

    def decode(self, indices: Iterable[SupportsInt]) -> str:
        """Text of `indices` up to the first `<eos>`, without padding and `<bos>`."""
        kept = itertools.takewhile(lambda i: i != self.eos, map(int, indices))
        return self._pieces.decode([i for i in kept if i not in (self.pad, self.bos)])


def arrays(
    pairs: Texts, source: Vocabulary | Subwords, target: Vocabulary | Subwords, longest: int | None = None
) -> tuple[Parallel, Sequence[int]]:
    """Sentences as padded arrays of indices, and which of them are there: none of over `longest` words on either side.

    Unknown words become `<unk>`.
    """
    rows, sources, targets = [], [], []
    for row, (a, b) in enumerate(zip(*pairs, strict=True)):
        x = [*source.encode(a, unknown="mark"), source.eos]
        y = [target.bos, *target.encode(b, unknown="mark"), target.eos]
        if longest is None or max(len(x), len(y) - 1) <= longest + 1:
            rows.append(row)
            sources.append(x)
            targets.append(y)
    require(rows, "There are no pairs." if longest is None else f"No pair has at most {longest} words on both sides.")
    x, y = pad(sources), pad(targets)
    return Parallel(x.tokens, x.mask, y.tokens, y.mask), rows
