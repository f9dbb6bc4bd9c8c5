"""Signatures say what they take: bare `Any`, `object`, parameters without an annotation and `cast` are few."""

import annotations
import pytest

pytestmark = pytest.mark.plain


@pytest.mark.parametrize(("folder", "most"), [("models", 0.03), ("measure", 0.05)])
def test_hardly_any_annotation_says_nothing(folder, most):
    found = annotations.counted(annotations.PACKAGE / folder)
    assert found.all > 300
    assert found.share < most


def test_what_says_nothing_is_counted(tmp_path):
    (tmp_path / "a.py").write_text(
        "def f(a: Any, b, *rest: object, c: int = 1) -> list[Any]:\n    return cast(int, a)\n\n"
        "class A:\n    def __init__(self, x: int):\n        pass\n\n    def g(self) -> None:\n        pass\n"
    )
    assert annotations.counted(tmp_path) == (4, 8)
