"""How many annotations say nothing: bare `Any` and `object`, parameters without any, and `cast`, by folder.

python tests/annotations.py
"""

import ast
import pathlib
from typing import NamedTuple

PACKAGE = pathlib.Path(__file__).parent.parent / "course_utils"


class Counted(NamedTuple):
    """Annotations that say nothing, and all."""

    empty: int
    all: int

    @property
    def share(self) -> float:
        return self.empty / max(self.all, 1)


def counted(folder: pathlib.Path) -> Counted:
    """In all functions of a folder: parameters and results. `self`, `cls`, lambdas and functions within functions are left out."""
    empty = total = 0
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {
            id(f)
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef)
            for f in ast.walk(outer)
            if f is not outer
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cast":
                empty, total = empty + 1, total + 1
            if not isinstance(node, ast.FunctionDef) or id(node) in inner:
                continue
            arguments = node.args
            found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            found += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
            said = [a.annotation for a in found if a.arg not in ("self", "cls")]
            said += [node.returns] if node.name != "__init__" else []
            total += len(said)
            empty += sum(a is None or getattr(a, "id", "") in ("Any", "object") for a in said)
    return Counted(empty, total)


if __name__ == "__main__":
    for name in ("models", "measure", "experiments", "teaching", "figures"):
        found = counted(PACKAGE / name)
        print(f"{name:12} {found.empty:4} of {found.all:4}: {found.share:.1%}")
