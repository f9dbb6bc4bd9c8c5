"""Real text: files of many kinds, broken ones among them; a server on this machine stands for the network."""

import functools
import gzip
import hashlib
import http.server
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

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
    assert found["bleu_lower"] == 100
    assert found["bleu"] < 100
    assert [(group["upto"], group["sentences"]) for group in found["by_length"]] == [(3, 2)]


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
