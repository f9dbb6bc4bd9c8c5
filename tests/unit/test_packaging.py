"""What a person installs: bounds in one voice, a wheel that works outside the checkout."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_has_the_names_and_bounds_of_pyproject():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    theirs = {Requirement(line).name: Requirement(line).specifier for line in conda if isinstance(line, str)}
    assert theirs.pop("python").contains("3.12.1")
    theirs.pop("pip")
    needs = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["lab"]]
    ours = {Requirement(line).name: Requirement(line).specifier for line in needs}
    assert theirs == ours


def test_constraints_pin_every_direct_need_within_its_bounds():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate():
                pins[pin.name.lower().replace("_", "-")] = str(pin.specifier).removeprefix("==")
    for line in [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["test"],
        *PROJECT["optional-dependencies"]["lab"],
    ]:
        need = Requirement(line)
        if need.name != "recurrence-to-attention":
            assert need.specifier.contains(pins[need.name.lower()]), need.name


def test_no_download_addresses_and_no_paths_of_one_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not {"uv.lock", "package-lock.json", "poetry.lock"} & {pathlib.Path(name).name for name in tracked}
    for name in tracked:
        if not name.endswith((".png", ".safetensors")):
            text = (ROOT / name).read_text(encoding="utf-8", errors="ignore")
            assert not re.search(r"--(extra-)?index-url|/(root|home/[a-z]+)/", text) or name.endswith(
                "test_packaging.py"
            ), name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_is_small_and_holds_the_course_files(wheel):
    assert wheel.stat().st_size < 10_000_000
    names = zipfile.ZipFile(wheel).namelist()
    assert "course_utils/_assets/quizzes/ch00.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "notebooks/"))]


def test_the_wheel_runs_a_quiz_outside_the_checkout(wheel, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    site = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import course_utils, sys; from course_utils.teaching import quiz\n"
        "q = quiz('ch00'); print(course_utils.__file__); print(q.answer('ch00-weight', 0.128))"
    )
    # The dependencies come from this environment, the course from the wheel alone.
    outside = [path for path in sys.path if "site-packages" in path]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), *outside]),
        "COURSE_HOME": str(tmp_path / "home"),
    }
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert str(site) in result.stdout
    assert "✓" in result.stdout


def test_every_shipped_model_is_listed_with_its_checksum():
    import hashlib

    listed = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "data" / "weights").glob("*"))
    assert files
    for path in files:
        assert path.suffix == ".safetensors"
        assert f"`{path.name}`" in listed
        assert hashlib.sha256(path.read_bytes()).hexdigest() in listed, path.name


# --------------------------------------------------------------------------------------------- the Makefile

STUB = """#!/bin/sh
printf '%s|%s|%s|%s\\n' "$0" "$JAX_COMPILATION_CACHE_DIR" "$COURSE_HOME" "$*" >> "$CALLS"
"""


@pytest.fixture
def checkout(tmp_path):
    """A folder whose name has a space, with environments in it that only write down how they are called."""
    folder = tmp_path / "my course"
    shutil.copytree(ROOT / "tests" / "environments", folder / "tests" / "environments")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    for name in (".venv", ".venv-oldest", ".venv-colab"):
        (folder / name / "bin").mkdir(parents=True)
        for tool in ("python", "course"):
            (folder / name / "bin" / tool).write_text(STUB)
            (folder / name / "bin" / tool).chmod(0o755)
        for target in (".lab", ".test", ".site", ".browser", ".classroom", ".ready"):
            (folder / name / target).touch()

    def make(*targets, **settings):
        calls = tmp_path / "calls"
        calls.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "my home"), "CALLS": str(calls)}
        subprocess.run(["make", *targets], cwd=folder, env={**environment, **settings}, check=True, capture_output=True)
        return [line.split("|") for line in calls.read_text().splitlines()]

    return make


@pytest.mark.parametrize("target", ["test", "test-oldest", "test-colab", "test-classroom", "site"])
def test_a_folder_with_a_space_in_its_name_will_do(checkout, tmp_path, target):
    where = {
        cache
        for _, cache, _, words in checkout(target)
        if "pytest" in words or words == "site"  # those that compile
    }
    assert len(where) == 1
    assert where.pop().startswith(f"{tmp_path}/my home/.cache/recurrence-to-attention/tests/venv")


def test_compiled_programs_of_the_tests_are_kept_where_it_is_said(checkout, tmp_path):
    where = lambda **settings: {cache for _, cache, *_ in checkout("test", **settings)}
    assert where(XDG_CACHE_HOME="/of mine") == {"/of mine/recurrence-to-attention/tests/venv"}
    assert where(CACHE="/there") == {"/there/venv"}


def test_notebooks_are_tested_by_a_learner_without_answers(checkout):
    homes = [home for _, _, home, words in checkout("test") if "nbval" in words]
    assert homes
    assert all(homes)


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (("3.11", "3.12", "3.13"), "3.12"),
        (("3.11", "3.13", "3.14"), "3.13"),
        (("3.11", "3.14"), "3.14"),
        (("3.11",), "3.11"),
    ],
)
def test_make_takes_the_python_that_the_course_is_made_on(tmp_path, there, chosen):
    for version in there:
        python = tmp_path / f"python{version}"
        python.write_text(f"#!/bin/sh\necho {tmp_path}/python{version}\n")
        python.chmod(0o755)
    said = subprocess.run(
        ["make", "-n", "-C", str(ROOT), "VENV=nowhere", "nowhere/bin/python"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert f'"{tmp_path}/python{chosen}" -m venv nowhere' in said
