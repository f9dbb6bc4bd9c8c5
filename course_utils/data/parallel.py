"""Real text in two languages: Multi30k, or files of your own.

Multi30k is not part of the course. `multi30k` downloads it when asked to, from its public repository, checks every
file and keeps it in the cache; `COURSE_DATA_DIR` names a folder that holds the files already. It may be used for
research and education, not commercially: Elliott, Frank, Sima'an, Specia (2016), *Multi30K: Multilingual
English–German Image Descriptions*; its French by Elliott, Frank, Barrault, Bougares, Specia (2017).
"""

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import numbers
import os
import pathlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, SupportsInt

from ..runtime import CourseError, InvalidInput, cache, require, require_one_of, require_positive, typed_path
from .batching import Parallel, pad
from .vocabulary import SPECIALS, Unknown, Vocabulary

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
MARKS = {  # at the beginning of a text; the longer first
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
AS_TEXT = (
    "From a spreadsheet save it as text with tabs: “Unicode Text” in Excel, “Text CSV” with {Tab} between the fields in "
    "LibreOffice, “Tab-separated values” in Google Sheets."
)
NO_TEXT = {  # how other files begin
    b"PK\x03\x04": f"a workbook (.xlsx, .ods) or a packed folder (.zip). {AS_TEXT} Unpack a folder",
    b"\xd0\xcf\x11\xe0": f"a workbook (.xls). {AS_TEXT[:-1]}",
    b"\x1f\x8b": "packed by gzip: give it the ending .gz", b"BZh": "packed by bzip2: unpack it",
    b"\xfd7zXZ": "packed by xz: unpack it", b"%PDF": "a PDF", b"{\\rtf": "a document (RTF): save it as text",
}  # fmt: skip
AHEAD = 1 << 20  # letters of a table that say how its cells are written
Language = Literal["de", "en", "fr"]
Split = Literal["train", "val", "test_2016_flickr"]


class NotDownloaded(CourseError):
    """A file that could not be had, or was not the one expected. The generated corpus needs none."""


class Texts(NamedTuple):
    """Sentences in two languages, one for one."""

    source: list[str]
    target: list[str]


def multi30k(source: Language, target: Language, split: Split, address: str = ADDRESS) -> Texts:
    """Sentences of Multi30k, as they are written: 29,000 to train on, 1,014 to validate, 1,000 to test.

    `address`: where the files are downloaded from. Raises `NotDownloaded` where a file cannot be had or is another than
    it should be; nothing of such a file is kept.
    """
    require_one_of(source=(source, Language), target=(target, Language), split=(split, Split))
    require(source != target, f"Source and target are both {source!r}: name two languages.")
    files = [_file(f"{split}.{language}.gz", address) for language in (source, target)]
    return Texts(*(list(column) for column in zip(*read_lines(*files), strict=True)))  # type: ignore[arg-type]


def _file(name: str, address: str) -> pathlib.Path:
    """A checked file: from `COURSE_DATA_DIR`, from the cache, or downloaded into it."""
    local = os.environ.get("COURSE_DATA_DIR")
    if local:
        path = typed_path(local) / name
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

    UTF-8, or UTF-16 with its mark, plain or `.gz`. A file that ends before the other raises when that line is reached.
    """
    missing = object()
    for number, (a, b) in enumerate(itertools.zip_longest(_lines(source), _lines(target), fillvalue=missing), 1):
        shorter = source if a is missing else target
        require(
            a is not missing and b is not missing,
            f"{os.fspath(shorter)} ends before line {number}: both files must have the same number of lines.",
        )
        yield a, b  # type: ignore[misc]


def read_tsv(path: str | os.PathLike, columns: Sequence[int | str] = (0, 1)) -> Iterator[tuple[str, str]]:
    """Pairs from two columns of a file of tab-separated values, one after another.

    `columns`: numbers from 0, or names that stand in the first line (which is then left out). UTF-8, or UTF-16 with its mark,
    plain or `.gz`. Cells may be quoted as a spreadsheet quotes them (see `read_cells`). Empty lines are left out.
    """
    require(
        isinstance(columns, Sequence) and len(columns) == 2 and all(map(_names_a_column, columns)),
        f"columns must be two numbers, counted from 0, or two names, such as (0, 1), not {columns!r}.",
    )
    names = [column for column in columns if isinstance(column, str)]
    indices: list[int] | None = None if names else [int(column) for column in columns]
    for number, cells in read_cells(path):
        if not any(cell.strip() for cell in cells):
            continue
        if indices is None:
            unknown = [name for name in names if name not in cells]
            require(not unknown, f"{os.fspath(path)} has no column {unknown}; its first line names {cells}.")
            indices = [cells.index(column) if isinstance(column, str) else int(column) for column in columns]
            continue
        require(
            len(cells) > max(indices),
            f"Line {number} of {os.fspath(path)} has {len(cells)} column{'s' if len(cells) > 1 else ''}; "
            f"columns {tuple(columns)} were asked for, counted from 0. Are they separated by tabs? {AS_TEXT}",
        )
        yield cells[indices[0]], cells[indices[1]]


def _names_a_column(column: Any) -> bool:
    number = isinstance(column, numbers.Integral) and not isinstance(column, bool)
    return int(column) >= 0 if number else isinstance(column, str)


def read_cells(path: str | os.PathLike) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file of tab-separated values: the number of the line where each begins, and its cells.

    A spreadsheet puts a cell with a quotation mark, a comma or a line break into quotation marks, and doubles those inside;
    elsewhere a quotation mark is a sign like any other, and may stand alone. Which of the two a file is, `_quoted` says from
    its beginning. A tab or a line break inside a cell becomes a space.
    """
    lines, ahead, size = _lines(path), [], 0
    while size < AHEAD and (line := next(lines, None)) is not None:
        ahead.append(line)
        size += len(line) + 1
    rows, number = itertools.chain(ahead, lines), 1
    if not _quoted("\n".join(ahead), cut_off=size >= AHEAD):
        yield from ((number, line.split("\t")) for number, line in enumerate(rows, 1))
        return
    reader = csv.reader((line + "\n" for line in rows), delimiter="\t", strict=True)
    try:
        for cells in reader:
            yield number, [re.sub(r"[\t\n]", " ", cell) for cell in cells]
            number = reader.line_num + 1
    except csv.Error as error:
        require(
            False,
            f"The cells of {os.fspath(path)} are quoted as a spreadsheet does it, but one from line {number} on is not ({error}). "
            "A quotation mark inside a quoted cell is doubled.",
        )


_CELL = re.compile(r'(?:"(?P<quoted>(?:[^"]|"")*+)"|(?P<bare>[^"\t\n]*+))(?P<end>[\t\n]|\Z)')


def _quoted(text: str, cut_off: bool) -> bool:
    """Are the cells of a table quoted as a spreadsheet does it?

    Every quotation mark must belong to a quoted cell, and there must be a reason for quoting: cells that need it (a
    quotation mark, a tab or a line break inside), or a rule, such as all cells with a comma, or all with letters. Two lone
    marks of a plain table are no cell: what is between them spans tabs and lines, or changes the number of columns.
    """
    if '"' not in text:
        return False
    inside_a_cell = cut_off and text.count('"') % 2 == 1
    text += '"' * inside_a_cell
    rows: list[list[re.Match]] = [[]]
    position = 0
    while cell := _CELL.match(text, position):
        rows[-1].append(cell)
        position = cell.end()
        if cell["end"] == "\n":
            rows.append([])
        elif not cell["end"]:
            break
    else:
        return False
    rows = rows[:-1] if inside_a_cell else rows
    quoted = [(cell["quoted"], len(row)) for row in rows for cell in row if cell["quoted"] is not None]
    bare = [cell["bare"] for row in rows for cell in row if cell["quoted"] is None]
    spread = [(inside, width) for inside, width in quoted if "\t" in inside or "\n" in inside]
    if any(width < 2 or width != len(rows[0]) or ("\t" in inside and "\n" in inside) for inside, width in spread):
        return False
    return (
        bool(spread)
        or any('"' in inside for inside, _ in quoted)
        or (any("," in inside for inside, _ in quoted) and not any("," in cell for cell in bare))
        or not any(sign.isalpha() for cell in bare for sign in cell)
    )


def _lines(path: str | os.PathLike) -> Iterator[str]:
    """The lines of a text file without their ends, one after another."""
    address = isinstance(path, str) and "://" in path
    require(not address, f"{path} is an address: download the file, and name it where it is then.")
    path = typed_path(path)
    require(not os.path.isdir(path), f"{path} is a folder: name a file in it.")
    folder = "" if path.is_absolute() else f" in {pathlib.Path.cwd()}"
    require(os.path.isfile(path), f"There is no file {path}{folder}.")
    opener: Any = gzip.open if path.suffix == ".gz" else open
    encoding, number = "utf-8", 0
    try:
        with opener(path, "rb") as file:
            head = file.read(1 << 16)
            file.seek(0)
            encoding = _encoding(path, head)
            begins = head.decode(encoding, errors="ignore")
            end = "\r" if "\r" in begins[:-1] and "\n" not in begins else "\n"  # a CR among LFs belongs to its sentence
            with io.TextIOWrapper(file, encoding=encoding, newline=end) as lines:
                for number, line in enumerate(lines, 1):  # noqa: B007
                    yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        require(
            False,
            f"{path} is not {name} text (after line {number}: {error.reason}). Save it as UTF-8, or convert it: "
            "iconv -f LATIN1 -t UTF-8.",
        )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        require(False, f"{path} is not a whole gzip file (after line {number}: {error}).")
    except OSError as error:
        require(False, f"{path} cannot be read ({error.strerror}).")


def _encoding(path: pathlib.Path, head: bytes) -> str:
    """Of a text, from its first bytes; what is no text is named."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    for mark, kind in NO_TEXT.items():
        require(not head.startswith(mark), f"{path} is no text but {kind}.")
    require(
        b"\0" not in head,
        f"{path} is no text, or UTF-16 without the mark at its beginning that says so. Save it as UTF-8.",
    )
    return "utf-8"


def texts(pairs: Iterable[tuple[str, str]], most: int | None = None) -> Texts:
    """The first `most` pairs (None: all) that are not empty on either side, as lists."""
    if most is not None:
        require_positive(most=most)
    with_text = (pair for pair in pairs if pair[0].strip() and pair[1].strip())
    columns = list(zip(*itertools.islice(with_text, most), strict=True))
    require(columns, "There are no pairs: there is no line, or every line is empty on one side.")
    return Texts(list(columns[0]), list(columns[1]))


# ----------------------------------------------------------------------------------------------------- words, pieces


def words(sentence: str, lower: bool = True) -> str:
    """Running text with spaces between its words: punctuation is a word too, `l'` keeps its apostrophe."""
    return " ".join(re.findall(r"\w+['’]|\w+|[^\w\s]", sentence.lower() if lower else sentence))


# Signs that mean something to sentencepiece are hidden from it behind others, which no text holds: Unicode reserves them.
_RESERVED = "▁▅<\0\n\r\x1f"
_HIDDEN = {ord(sign): 0xFDD0 + i for i, sign in enumerate(_RESERVED)}
_SHOWN = {hidden: sign for sign, hidden in _HIDDEN.items()}
LONGEST_LINE = 1 << 30  # bytes; sentencepiece would leave out lines of more than 4,192


class Subwords:
    """Pieces of words, learned from text: no word is unknown that is written in known letters.

    Byte-pair encoding (Sennrich, Haddow, Birch 2016), by the library `sentencepiece`. Used like a `Vocabulary`: the same
    four special symbols come first, `encode` gives indices, `decode` gives the text as it was, sign by sign.
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
        letters = {" "}

        def hidden() -> Iterator[str]:
            for sentence in sentences:
                letters.update(sentence)
                yield sentence.translate(_HIDDEN)

        try:
            trainer.train(
                sentence_iterator=hidden(), model_writer=written, vocab_size=size, model_type="bpe",
                hard_vocab_limit=False, character_coverage=1.0, minloglevel=2, normalization_rule_name="identity",
                remove_extra_whitespaces=False, max_sentence_length=LONGEST_LINE,
                **{f"{name}_id": getattr(cls, name) for name in names},
                **{f"{name}_piece": text for name, text in names.items()},
            )  # fmt: skip
        except RuntimeError as error:
            least = len(letters) + len(SPECIALS)
            require(
                least <= size,
                f"{size:,} pieces are too few: {len(letters):,} different letters and signs stand in these sentences, and each "
                f"needs a piece. Ask for at least {least:,} pieces, and some thousands more.",
            )
            raise InvalidInput(f"No pieces can be learned from these sentences ({error}). Is there any text?") from None
        return cls(written.getvalue())

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"Subwords({len(self)} pieces, 4 of them special)"

    def encode(self, sentence: str, unknown: Unknown = "mark") -> list[int]:
        """Indices of the pieces of a sentence; letters never seen become `<unk>`, or raise with `unknown="error"`."""
        require(sentence.strip(), "The sentence is empty: type at least one word.")
        require_one_of(unknown=(unknown, Unknown))
        indices = self._pieces.encode(sentence.translate(_HIDDEN))
        require(
            unknown == "mark" or self.unk not in indices, f"{sentence!r} holds letters that these pieces do not know."
        )
        return indices

    def decode(self, indices: Iterable[SupportsInt]) -> str:
        """Text of `indices` up to the first `<eos>`, without padding and `<bos>`."""
        before_end = itertools.takewhile(lambda i: i != self.eos, map(int, indices))
        return self._pieces.decode([i for i in before_end if i not in (self.pad, self.bos)]).translate(_SHOWN)


def arrays(
    pairs: Texts, source: Vocabulary | Subwords, target: Vocabulary | Subwords, longest: int | None = None
) -> tuple[Parallel, Sequence[int]]:
    """Sentences as padded arrays of indices, and which rows of `pairs` they are: those of at most `longest` words on both sides.

    Unknown words become `<unk>`.
    """
    rows, sources, targets = [], [], []
    for row, (source_text, target_text) in enumerate(zip(*pairs, strict=True)):
        x = [*source.encode(source_text, unknown="mark"), source.eos]
        y = [target.bos, *target.encode(target_text, unknown="mark"), target.eos]
        if longest is None or max(len(x), len(y) - 1) <= longest + 1:
            rows.append(row)
            sources.append(x)
            targets.append(y)
    require(
        rows,
        "There are no pairs."
        if longest is None
        else f"No pair has at most {longest} words or pieces on both sides: put one sentence in a line.",
    )
    x, y = pad(sources), pad(targets)
    return Parallel(x.tokens, x.mask, y.tokens, y.mask), rows
