"""Files are written whole or not at all, and never over what is read."""

import errno
import os
import pathlib
import re
import threading

import pytest

from course_utils import files
from course_utils.runtime import InvalidInput

pytestmark = pytest.mark.plain


@pytest.mark.parametrize(("content", "stored"), [("é\r\n\n", "é\r\n\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_what_is_written_is_read(tmp_path, content, stored):
    path = tmp_path / "new" / "file"
    files.write(path, content)
    assert path.read_bytes() == stored
    files.write(path, "after")
    assert path.read_text() == "after"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_text("before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, step, full)
    with pytest.raises(OSError, match="No space left"):
        files.write(path, "after")
    with pytest.raises(OSError, match="No space left"):
        files.write(tmp_path / "other", "after")
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path, monkeypatch, step):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "temporary")

    monkeypatch.setattr(files.tempfile if step == "mkstemp" else files.os, step, full)
    with pytest.raises(OSError) as error:
        files.write(tmp_path / "file", "after")
    assert (error.value.filename, error.value.strerror) == (str(tmp_path / "file"), "No space left on device")


def test_pages_are_copied_file_by_file_and_through_no_link(tmp_path):
    pages = pytest.importorskip("course_utils.pages.executed")
    made, out, other = tmp_path / "made", tmp_path / "out", tmp_path / "other"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "page.html").write_text("new")
    (out / "deep").mkdir(parents=True)
    other.write_text("kept")
    (out / "deep" / "page.html").symlink_to(other)
    pages.copied(made, out)
    assert (other.read_text(), (out / "deep" / "page.html").read_text()) == ("kept", "new")


WRITES = re.compile(
    r"write_text|write_bytes|(?:shutil|pathlib)\.(?:copy\w*|move)|copytree|nbformat\.write\(|open\([^)]*[\"'][wax]b?\+?[\"']"
    r"|\.touch\(|\.rename\(|os\.(?:replace|rename|link)|mkstemp|np\.save\w*|write_html|savefig|symlink_to"
)


def test_nothing_else_writes_a_file_that_somebody_keeps():
    package = pathlib.Path(files.__file__).parent
    found = {
        (path.relative_to(package).as_posix(), match)
        for path in package.rglob("*.py")
        for match in WRITES.findall(path.read_text(encoding="utf-8"))
        if path.name != "files.py"
    }
    in_a_temporary_folder = {"write_text", "nbformat.write(", "shutil.copy", "copytree", "shutil.copytree"}
    assert {where for where, _ in found} == {"pages/__init__.py", "teaching/progress.py"}
    assert {match for where, match in found if where == "pages/__init__.py"} <= in_a_temporary_folder
    # A damaged file of answers is moved aside, to a name that nothing has, by one of several kernels.
    assert {match for where, match in found if where == "teaching/progress.py"} == {".touch(", ".rename("}


def test_an_interruption_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("before")
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        files.write(path, "after")
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_a_link_points_to_is_left_alone(tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text("before")
    link.symlink_to(other)
    files.write(link, "after")
    assert (other.read_text(), link.read_text(), link.is_symlink()) == ("before", "after", False)


def test_rights_are_those_of_the_file_or_of_a_new_one(tmp_path):
    path = tmp_path / "file"
    before = os.umask(0o027)
    try:
        files.write(path, "new")
        assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)
    path.chmod(0o600)
    files.write(path, "again")
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_that_write_at_once_both_write_whole_files(tmp_path):
    path = tmp_path / "file"
    texts = [letter * 100_000 for letter in "abcdefgh"]
    threads = [threading.Thread(target=files.write, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_is_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, link = tmp_path / "one.json", tmp_path / "link.json"
    one.write_text("kept")
    link.symlink_to(one)
    for out in ("one.json", one, tmp_path / "x" / ".." / "one.json", link):
        with pytest.raises(InvalidInput, match=r"is read here and would be lost: name another file"):
            files.refuse_overwriting([None, out], [tmp_path / "other.json", one])
    files.refuse_overwriting([None, "new.json"], [one])


def test_two_things_are_not_written_to_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="is named for two things to write"):
        files.refuse_overwriting(["new.csv", tmp_path / "new.csv"])
    files.refuse_overwriting(["new.csv", "other.csv"])


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    thread.start()
    files.write(pipe, "through")
    thread.join()
    assert read == [b"through"]
