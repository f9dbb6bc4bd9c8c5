"""The settings that docs/serving.md hands out, as shipped. A real hub runs with them in tests/classroom."""

import pathlib

import pytest
from traitlets.config.loader import PyFileConfigLoader

pytestmark = pytest.mark.plain

DOCS = pathlib.Path(__file__).parents[2] / "docs"


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """What the shipped file sets, for a list of learners; None is no list at all."""

    def read(learners):
        path = tmp_path / "learners.txt"
        if learners is not None:
            path.write_bytes(learners)
        monkeypatch.setenv("COURSE_LEARNERS", str(path))
        return PyFileConfigLoader("jupyterhub_config.py", str(DOCS)).load_config()

    return read


@pytest.mark.parametrize("written", [b"ada\nBob\n", b"\xef\xbb\xbfada\r\n bob # of the second group\r\n\r\n# cem\r\n"])
def test_who_is_on_the_list_is_let_in_and_nobody_else(settings, written):
    found = settings(written).Authenticator
    assert found.allowed_users == {"ada", "bob"}
    assert found.allow_existing_users is False
    assert "allow_all" not in found


@pytest.mark.parametrize(
    ("written", "said"), [(None, "No such file"), (b"", "no name"), (b"# nobody yet\n\n", "no name")]
)
def test_a_hub_without_a_list_does_not_start_and_says_what_to_write(settings, written, said):
    with pytest.raises(SystemExit, match=said) as stopped:
        settings(written)
    assert "write the learners' login names there, one a line" in str(stopped.value)


def test_the_hub_listens_on_its_own_machine_alone_and_the_web_server_finds_it_there(settings):
    url = settings(b"ada").JupyterHub.bind_url
    assert url == "http://127.0.0.1:8000"
    assert f"reverse_proxy {url.removeprefix('http://')}" in (DOCS / "Caddyfile").read_text(encoding="utf-8")
