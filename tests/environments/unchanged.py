"""Do the installed versions still equal those of a list? Run inside the environment: `unchanged.py LIST`."""

import pathlib
import sys
from importlib.metadata import PackageNotFoundError, version


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


if __name__ == "__main__":
    lines = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    wanted = dict(line.strip().split("==") for line in lines if "==" in line and not line.startswith("#"))
    changed = {name: (want, installed(name)) for name, want in wanted.items() if installed(name) != want}
    for name, (want, found) in changed.items():
        print(f"{name}: {want} was listed, {found} is installed")
    print(f"{len(wanted) - len(changed)} of {len(wanted)} versions are as listed")
    sys.exit(bool(changed) or not wanted)
