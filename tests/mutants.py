"""Would the tests notice? Lines of the course are changed one at a time, by cosmic-ray, and the tests that know them run.

    python tests/mutants.py course_utils/models course_utils/teaching/grading.py --sample 60

needs `pip install cosmic-ray`. It works in a copy of the checkout; a mutant that no test notices is printed with its place.
Nothing here belongs to the test command: sixty mutants take half an hour. Scores and dates are in benchmarks/NOTES.md.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
# `X | None` in a signature is no behaviour, and without its decorator a function only runs slower or does not run at all.
LEFT_OUT = ("ReplaceBinaryOperator_BitOr", "RemoveDecorator")
CONFIG = """
[cosmic-ray]
module-path = ["{module}"]
timeout = 240
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
"""


def tests_of(module: pathlib.Path) -> list[str]:
    """The test files that import a module, those with its name first."""
    dotted, stem = ".".join(module.with_suffix("").parts), module.stem
    packages = (
        f"from {dotted} import",
        f"import {dotted}",
        f"from {'.'.join(module.parts[:-1]).replace('/', '.')} import",
    )
    found = []
    for path in sorted((ROOT / "tests" / "unit").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        imported = any(
            line.startswith(packages[:2]) or (line.startswith(packages[2]) and stem in line)
            for line in text.splitlines()
        )
        if imported:
            found.append(path.relative_to(ROOT).as_posix())
    return sorted(found, key=lambda name: stem not in name)


def session(copy: pathlib.Path, module: pathlib.Path) -> pathlib.Path | None:
    """All mutants of a module, none of them tried yet; None where no unit test imports the module."""
    tests = tests_of(module)
    if not tests:
        return None
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {' '.join(tests)}"
    config, stored = copy / f"{module.stem}.toml", copy / f"{module.stem}.sqlite"
    config.write_text(CONFIG.format(module=module.as_posix(), command=command))
    run(copy, "init", config.name, stored.name)
    return stored


def run(copy: pathlib.Path, *words: str) -> str:
    cache = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    program = pathlib.Path(sys.executable).with_name("cosmic-ray")
    done = subprocess.run(
        [program, *words], cwd=copy, env={**os.environ, **cache}, capture_output=True, text=True, check=True
    )
    return done.stdout


def mutants(stored: pathlib.Path) -> list[str]:
    """Ids of the mutants of a session that count."""
    with sqlite3.connect(stored) as database:
        rows = database.execute("select job_id, operator_name from mutation_specs").fetchall()
    return [job for job, operator in rows if not any(name in operator for name in LEFT_OUT)]


def keep_only(stored: pathlib.Path, chosen: set[str]) -> None:
    with sqlite3.connect(stored) as database:
        for table in ("mutation_specs", "work_items"):
            jobs = {job for (job,) in database.execute(f"select job_id from {table}")}
            database.executemany(f"delete from {table} where job_id = ?", [(job,) for job in jobs - chosen])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=pathlib.Path, help="modules or folders of them")
    parser.add_argument("--sample", type=int, default=60, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    modules = [
        path for place in given.places for path in (sorted(place.glob("[!_]*.py")) if place.is_dir() else [place])
    ]
    copy = pathlib.Path(tempfile.mkdtemp()) / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "site", "workbook"))
    sessions = {module: stored for module in modules if (stored := session(copy, module))}
    print(f"no unit test imports: {', '.join(str(m) for m in modules if m not in sessions) or '-'}")
    known = [(module, job) for module, stored in sessions.items() for job in mutants(stored)]
    chosen = random.Random(given.seed).sample(known, min(given.sample, len(known)))
    killed, survived = 0, []
    for module, stored in sessions.items():
        keep_only(stored, {job for of, job in chosen if of == module})
        if not any(of == module for of, _ in chosen):
            continue
        run(copy, "exec", f"{module.stem}.toml", stored.name)
        for line in run(copy, "dump", stored.name).splitlines():
            _, result = json.loads(line)
            if result["test_outcome"] == "survived":
                survived.append(f"{module}\n{result['diff']}")
            else:
                killed += 1
        print(f"{module.name}: {killed} noticed, {len(survived)} survived so far", flush=True)
    print("\n\n".join(survived))
    print(f"{killed} of {killed + len(survived)} mutants of {len(known)} were noticed")


if __name__ == "__main__":
    main()
