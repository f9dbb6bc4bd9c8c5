"""Real text: files of many kinds, broken ones among them; a server on this machine stands for the network."""

import csv
import functools
import gzip
import hashlib
import http.server
import os
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course_utils.data import parallel
from course_utils.data.parallel import (
    NotDownloaded,
    Subwords,
    Texts,
    arrays,
    multi30k,
    read_lines,
    read_tsv,
    texts,
    words,
)
from course_utils.data.vocabulary import Vocabulary
from course_utils.runtime import InvalidInput

pytestmark = pytest.mark.plain

DE, EN = ["Ein Hund läuft.", "Zwei Katzen schlafen."], ["A dog runs.", "Two cats sleep."]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two small files in place of Multi30k's, with their sums; the cache is empty."""
    folder = tmp_path / "served"
    folder.mkdir()
    for language, lines in (("de", DE), ("en", EN)):
        (folder / f"val.{language}.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    monkeypatch.setattr(parallel, "SHA_256", {**parallel.SHA_256, **sums})
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    return folder


@pytest.fixture
def address(files):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(files)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_text_is_downloaded_once_checked_and_kept(files, address):
    assert multi30k("de", "en", "val", address) == Texts(DE, EN)
    for path in files.iterdir():
        path.unlink()
    assert multi30k("en", "de", "val", address) == Texts(EN, DE)  # from the cache


def test_a_tampered_download_is_refused_and_nothing_of_it_is_kept(files, address, tmp_path):
    whole = (files / "val.de.gz").read_bytes()
    (files / "val.de.gz").write_bytes(gzip.compress(b"Etwas anderes.\n"))
    with pytest.raises(NotDownloaded, match=r"val\.de\.gz.*damaged or was changed"):
        multi30k("de", "en", "val", address)
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file() and "de" in path.name]
    (files / "val.de.gz").write_bytes(whole)
    assert multi30k("de", "en", "val", address).source == DE


def test_a_file_spoilt_in_the_cache_is_fetched_again(files, address, tmp_path):
    multi30k("de", "en", "val", address)
    kept = next((tmp_path / "home").rglob("val.de.gz"))
    kept.write_bytes(b"half a fi")
    assert multi30k("de", "en", "val", address).source == DE


def test_without_a_network_the_error_says_what_to_do(files):
    with pytest.raises(NotDownloaded, match="generated corpus"):
        multi30k("de", "en", "val", "http://127.0.0.1:9/")


def test_a_folder_of_ones_own_comes_first(files, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(files))
    assert multi30k("de", "en", "val", "http://127.0.0.1:9/") == Texts(DE, EN)
    with pytest.raises(NotDownloaded, match=r"no train\.de\.gz"):
        multi30k("de", "en", "train")
    (files / "val.en.gz").write_bytes(b"other")
    with pytest.raises(NotDownloaded, match="SHA-256"):
        multi30k("de", "en", "val")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("it", "en", "val"), "de, en, fr"), (("en", "en", "val"), "two languages"), (("de", "en", "dev"), "train, val")],
)
def test_a_language_or_split_that_is_not_there_is_named(arguments, says):
    with pytest.raises(InvalidInput, match=says):
        multi30k(*arguments)


# -------------------------------------------------------------------------------------------- files of one's own


def test_two_files_line_by_line(tmp_path):
    (tmp_path / "a").write_text("eins\r\nzwei\r\n", encoding="utf-8-sig", newline="")
    (tmp_path / "b").write_text("one\ntwo", encoding="utf-8")
    assert list(read_lines(tmp_path / "a", tmp_path / "b")) == [("eins", "one"), ("zwei", "two")]


def test_files_of_unequal_length_name_the_shorter_and_the_line(tmp_path):
    (tmp_path / "a").write_text("eins\nzwei\ndrei\n")
    (tmp_path / "b").write_text("one\ntwo\n")
    with pytest.raises(InvalidInput, match=r"b ends before line 3"):
        list(read_lines(tmp_path / "a", tmp_path / "b"))


def test_columns_by_number_and_by_name(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("id\tde\ten\n1\teins\tone\n2\tzwei\ttwo\n")
    assert list(read_tsv(table, ("de", "en"))) == [("eins", "one"), ("zwei", "two")]
    assert list(read_tsv(table, (2, 1)))[1:] == [("one", "eins"), ("two", "zwei")]
    with pytest.raises(InvalidInput, match=r"no column \['fr'\]; its first line names"):
        list(read_tsv(table, ("de", "fr")))
    assert list(read_tsv(table, (1, "en"))) == [("eins", "one"), ("zwei", "two")]
    table.write_text("eins\tone\n\nzwei\ttwo\n\n")
    assert list(read_tsv(table)) == [("eins", "one"), ("zwei", "two")]
    table.write_text("eins\tone\nzwei two\n")
    with pytest.raises(InvalidInput, match="Line 2 .* has 1 column; .*tabs"):
        list(read_tsv(table))


def test_another_encoding_a_broken_archive_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "latin").write_bytes("ja\nläuft\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"latin is not UTF-8.*iconv"):
        list(read_tsv(tmp_path / "latin", (0, 0)))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"eins\tone\n" * 999)[:-20])
    with pytest.raises(InvalidInput, match="not a whole gzip file"):
        list(read_tsv(tmp_path / "cut.gz"))
    whole = bytearray(gzip.compress(b"".join(f"{i}\t{i * i}\n".encode() for i in range(999))))
    whole[40:60] = b"\xff" * 20
    (tmp_path / "spoilt.gz").write_bytes(whole)
    with pytest.raises(InvalidInput, match="not a whole gzip file"):
        list(read_tsv(tmp_path / "spoilt.gz"))
    with pytest.raises(InvalidInput, match="no file"):
        list(read_tsv(tmp_path / "nothing.tsv"))


def test_of_five_million_lines_only_those_asked_for_are_read(tmp_path):
    table = tmp_path / "large.tsv.gz"
    with gzip.open(table, "wb", compresslevel=1) as file:
        file.write(b"eins\tone\n" * 3)
        for _ in range(50):
            file.write(b"zwei\ttwo\n" * 100_000)
        file.write(b"no column\n")  # would raise, were it reached
    assert texts(read_tsv(table), most=3) == Texts(["eins"] * 3, ["one"] * 3)


TABLE = [("Ein Hund läuft.", "A dog runs."), ("Sie schläft, er nicht.", "She sleeps, he does not."), ("Und?", "So?")]
PLAIN = "".join(f"{a}\t{b}\n" for a, b in TABLE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_in_every_encoding_that_names_itself_and_with_every_end_of_line(tmp_path, encoding, end):
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    content = mark + PLAIN.replace("\n", end).encode(encoding)
    (tmp_path / "t.txt").write_bytes(content)
    (tmp_path / "t.gz").write_bytes(gzip.compress(content))
    for name in ("t.txt", "t.gz"):
        assert list(read_tsv(tmp_path / name)) == TABLE
    assert next(read_lines(tmp_path / "t.txt", tmp_path / "t.gz")) == ("\t".join(TABLE[0]),) * 2


def test_a_cr_among_other_ends_of_lines_belongs_to_its_sentence(tmp_path):
    (tmp_path / "t").write_bytes(b"a \r b\tx\nc\ty\n")
    assert list(read_tsv(tmp_path / "t")) == [("a \r b", "x"), ("c", "y")]


AWKWARD = [
    ('She said, "come in".', 'Elle dit : "entrez".'), ('"Yes," he said.', '"Oui", dit-il.'), ('"Yes, come."', '"Oui, viens."'),
    ("a\tb", "c d"), ("two\nlines", "deux\nlignes"), ('"', '""'), ("", ","), ("plain", "simple"), (",", '5" long'),
]  # fmt: skip


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_cells_quoted_as_a_spreadsheet_quotes_them_are_read_without_their_quotes(tmp_path, quoting, end):
    with open(tmp_path / "t.txt", "w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=quoting, lineterminator=end).writerows([*AWKWARD, ("last", "fin")])
    found = list(read_tsv(tmp_path / "t.txt"))
    assert found == [
        *((a.translate({9: 32, 10: 32}), b.translate({9: 32, 10: 32})) for a, b in AWKWARD),
        ("last", "fin"),
    ]


def test_a_comma_or_a_rule_for_all_is_reason_enough_for_quotes(tmp_path):
    table = tmp_path / "t"
    table.write_text('"Yes, come."\tOui viens.\nNo.\t"Non, reste."\n')
    assert list(read_tsv(table)) == [("Yes, come.", "Oui viens."), ("No.", "Non, reste.")]
    table.write_text('1\t"Yes."\t"Oui."\n2\t"No."\t"Non."\n')
    assert list(read_tsv(table, (1, 2))) == [("Yes.", "Oui."), ("No.", "Non.")]


@pytest.mark.parametrize(
    "awkward",
    [
        [('"Yes," he said.', '"Oui", dit-il.')], [('"Yes', 'Oui"')], [('He is 5\' 7" tall.', "Il mesure 1 m 70.")], [('"', "x")],
        [('"Yes."', '"Oui."')], [('"Yes, sir."', '"Oui."'), ("No, sir.", "Non.")], [('a "b', 'c" d'), ('"x"', '"y"')],
        [('"open', "ouvert"), ("between", "entre"), ('said "', "dit")], [('""', '"""'), ("He said: hm", "x")],
        [("a", '"b'), ('c"', "d")], [('"a', 'b"')] * 9,
    ],
)  # fmt: skip
def test_quotation_marks_of_a_plain_table_stand_as_they_are(tmp_path, awkward):
    rows = [("Go.", "Va !"), *awkward, ("Stop.", "Arrête.")]
    (tmp_path / "t").write_text("".join(f"{a}\t{b}\n" for a, b in rows))
    assert list(read_tsv(tmp_path / "t")) == rows


@pytest.mark.parametrize("rest", ['bad "one\tx\n', '"never closed\tx\n'])
def test_a_table_longer_than_what_is_looked_at_is_judged_by_its_beginning(tmp_path, monkeypatch, rest):
    monkeypatch.setattr(parallel, "AHEAD", 60)
    table = tmp_path / "t"
    table.write_text('"a ""b"""\t"c\nd"\n' * 20)
    assert list(read_tsv(table)) == [('a "b"', "c d")] * 20  # also where the beginning ends inside a cell
    table.write_text('a "b"\tc\n' * 20 + rest)
    assert len(list(read_tsv(table))) == 21
    table.write_text('"a ""b"""\t"c\nd"\n' * 20 + '"never closed\tx\n')
    with pytest.raises(InvalidInput, match="from line 41 on is not"):
        list(read_tsv(table))


@pytest.mark.parametrize(
    ("begins", "says"),
    [
        (b"PK\x03\x04 rest", "workbook.*Unicode Text"), (b"\xd0\xcf\x11\xe0", r"\.xls.*Unicode"), (gzip.compress(b"a", mtime=0), r"\.gz"),
        (b"BZh9", "unpack"), (b"%PDF-1.7", "PDF"), ("a\tb\n".encode("utf-16-le"), "without the mark"), (b"\xff\xfea", "not UTF-16"),
    ],
    ids=["zip", "xls", "gzip", "bzip2", "pdf", "utf-16", "cut"],
)  # fmt: skip
def test_what_is_no_text_is_named_and_how_to_make_a_text_of_it(tmp_path, begins, says):
    (tmp_path / "t.xlsx").write_bytes(begins)
    with pytest.raises(InvalidInput, match=says):
        list(read_tsv(tmp_path / "t.xlsx"))


@pytest.mark.parametrize("columns", [(0,), (0, 1, 2), (0, -1), (True, 0), ()])
def test_columns_that_are_no_two_are_refused(tmp_path, columns):
    (tmp_path / "t").write_text(PLAIN)
    with pytest.raises(InvalidInput, match="two numbers, counted from 0"):
        list(read_tsv(tmp_path / "t", columns))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("~nosuchuser/pairs.tsv", "no user ~nosuchuser"), ("'C:/x/pairs.tsv'", "quotation marks of its own"), ("“a.tsv”", "two pairs"),
        ("data\table.tsv", "tab"), ("https://example.org/pairs.tsv", "download"), ("x" * 5_000, "no file"),
        (".", "is a folder"), ("nothing.tsv", "no file nothing.tsv in /"), ("a\0b", "no name"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_meant_is_refused_in_words(name, says):
    with pytest.raises(InvalidInput, match=says):
        list(read_tsv(name))


@pytest.mark.skipif(os.sep != "/", reason="there it is a path")
def test_a_path_of_windows_is_refused_in_words_on_another_system(tmp_path, monkeypatch):
    for name, says in ((r"C:\Users\ada\pairs.tsv", "no drive C"), (r"data\pairs.tsv", "Write data/pairs.tsv")):
        with pytest.raises(InvalidInput, match=says):
            list(read_tsv(name))
    monkeypatch.chdir(tmp_path)
    (tmp_path / r"odd\name.tsv").write_text(PLAIN)  # a name that is there is right
    assert list(read_tsv(r"odd\name.tsv")) == TABLE


def test_empty_lines_are_left_out():
    assert texts([("a", "b"), (" ", "c"), ("d", ""), ("e", "f")]) == Texts(["a", "e"], ["b", "f"])
    with pytest.raises(InvalidInput, match="no pairs"):
        texts([("", "a")])
    with pytest.raises(InvalidInput, match="there is no line"):
        texts([])
    with pytest.raises(InvalidInput, match=r"^There are no pairs\.$"):
        arrays(Texts([], []), Vocabulary(["a"]), Vocabulary(["b"]))
    with pytest.raises(InvalidInput, match="most"):
        texts([("a", "b")], most=0)


# ------------------------------------------------------------------------------------------------ words and pieces


def test_running_text_falls_into_words():
    assert words("L'ami, Anna's 2 cats!") == "l' ami , anna' s 2 cats !"
    assert words("Ein Hund", lower=False) == "Ein Hund"


def test_pieces_know_every_word_written_in_known_letters():
    pieces = Subwords.learn(["the cat sat on the mat", "the dogs sat on the cats"] * 20, 60)
    assert pieces.words[:4] == ("<pad>", "<bos>", "<eos>", "<unk>")
    said = "the mats sat"
    indices = pieces.encode(said)
    assert 3 not in indices
    assert pieces.decode([pieces.bos, *indices, pieces.eos, 9]) == said
    assert 3 in pieces.encode("the 猫")
    for bad, says in (("the 猫", "letters"), ("  ", "empty")):
        with pytest.raises(InvalidInput, match=says):
            pieces.encode(bad, unknown="error")
    assert len(pieces) == len(pieces.words) <= 60
    with pytest.raises(InvalidInput, match="size"):
        Subwords.learn(["a"], 0)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"])).filter(str.strip))
@example("… 10³ ？ ﬁ ½ № ①")  # what NFKC writes otherwise
@example("  two  spaces\u00a0: \u3000and at the end ")
@example("▁ ▅ \0 \t < <pad> <s> </s> ⁇  <unk>")  # what sentencepiece keeps for itself
@example("e\u0301 é  \u200f\u202bאهلا ไทย 한국어 𐍈 \ufeff \u2028 \ufffd")
def test_text_comes_back_from_its_pieces_sign_by_sign(sentence):
    pieces = Subwords.learn([sentence, "some other text"], 1_000)
    indices = pieces.encode(sentence, unknown="error")
    assert pieces.decode([pieces.bos, *indices, pieces.eos]) == sentence


def test_pieces_are_learned_from_long_lines_too():
    line = "猫 " * 3_000  # sentencepiece itself would leave it out
    assert Subwords.unk not in Subwords.learn([line, "a"], 60).encode("猫")


def test_fewer_pieces_than_letters_are_refused_with_the_number_that_suffices():
    sentences = ["".join(chr(0x4E00 + i) for i in range(500))]
    with pytest.raises(InvalidInput, match=r"^400 pieces are too few: 501 .* at least 505 pieces") as refused:
        Subwords.learn(iter(sentences), 400)
    assert "--" not in str(refused.value)
    assert Subwords.unk not in Subwords.learn(sentences, 505).encode(sentences[0])
    with pytest.raises(InvalidInput, match="any text"):
        Subwords.learn([""], 400)


def test_arrays_mark_unknown_words_and_leave_long_sentences_out():
    pairs = Texts(["a b", "c", "a a a a"], ["x", "y y", "x"])
    source, target = Vocabulary(["a", "b"]), Vocabulary(["x", "y"])
    batch, rows = arrays(pairs, source, target, longest=3)
    assert list(rows) == [0, 1]
    np.testing.assert_array_equal(batch.source, [[4, 5, 2], [3, 2, 0]])
    np.testing.assert_array_equal(batch.target, [[1, 4, 2, 0], [1, 5, 5, 2]])
    np.testing.assert_array_equal(batch.target_mask, [[True] * 3 + [False], [True] * 4])
    assert len(arrays(pairs, source, target)[1]) == 3
    with pytest.raises(InvalidInput, match="at most"):
        arrays(Texts(["a a a"], ["x"]), source, target, longest=2)


# ------------------------------------------------------------------------------------------ the ladder on it


@pytest.mark.slow
def test_a_rung_is_trained_and_measured_on_any_text(monkeypatch):
    from course_utils.experiments import multi30k as ladder

    for name, value in (
        ("PIECES", 60),
        ("HIDDEN", 8),
        ("EMBED", 8),
        ("BATCH", 2),
        ("EDGES", (58,)),
        ("LENGTHS", (3, 4)),
        ("LAYERS", 1),
        ("HEADS", 2),
    ):
        monkeypatch.setattr(ladder, name, value)
    train = Texts(DE * 4, EN * 4)
    text = ladder.prepare(train)
    assert text.sentences == 8
    for rung in ladder.RUNGS:
        model, history = ladder.learn(text, rung, epochs=5, report=lambda *_: None)
        assert history.steps == 20
        assert history.losses[-1] < history.losses[0]
        for size in (1, 2):
            said = ladder.written(model, text, train, size)
            assert len(said) == 8
    found = ladder.quality(["a dog runs.", *EN[1:]], Texts(DE, EN))
    assert found.bleu_lower == pytest.approx(100)
    assert found.bleu < 100
    assert [(group.upto, group.sentences) for group in found.by_length] == [(3, 2)]


@pytest.mark.slow
def test_the_first_two_rungs_differ_in_one_thing():
    from course_utils.experiments import multi30k as ladder

    text = ladder.prepare(Texts(DE * 4, EN * 4))
    fixed, attentive = (ladder.translator(text, nnx.Rngs(0), rung) for rung in ladder.RUNGS[:2])
    shapes = [jax.tree.map(jnp.shape, nnx.to_pure_dict(nnx.state(model, nnx.Param))) for model in (fixed, attentive)]
    scorer = shapes[1].pop("scorer")
    assert set(scorer) == {"W_a", "U_a", "v_a"}
    assert shapes[0] == shapes[1]
    with pytest.raises(InvalidInput, match="no rung 'GRU'"):
        ladder.translator(text, nnx.Rngs(0), "GRU")
