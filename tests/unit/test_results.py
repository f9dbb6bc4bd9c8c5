"""What is recorded: typed, to JSON and back without a digit lost, and refused in words."""

import dataclasses
import json

import numpy as np
import pytest
from jaxtyping import Float

from course_utils.experiments import CHAPTERS, recorded
from course_utils.experiments.results.record import Exact, Hundredths, Results, Rounded, Significant, record
from course_utils.runtime import InvalidInput, asset

pytestmark = pytest.mark.plain


@record
class Small(Results):
    chapter: str = "ch99"
    share: Rounded[float]
    accuracy: Rounded[Float[np.ndarray, "seeds bins"]]
    gradient: Significant[Float[np.ndarray, " seeds"]]
    bleu: dict[float, Hundredths[float]]
    times: Exact[Float[np.ndarray, " runs"]]


def small(**changed):
    fields = {
        "seeds": (0, 1), "share": np.float32(0.1), "accuracy": np.array([[1 / 3, 1.0], [np.nan, 0.5]]),
        "gradient": np.array([1.23456e-9, 4567.89]), "bleu": {0.5: 98.7654, float("inf"): 1}, "times": np.array([1 / 3]),
    }  # fmt: skip
    return Small(**{**fields, **changed})


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_is_recorded_of_a_chapter_is_read_and_written_again_to_the_letter(chapter):
    text = asset(f"recorded/{chapter}.json").read_text(encoding="utf-8")
    found = recorded(chapter)
    assert found.chapter == chapter
    assert found.to_json() == text


def test_numbers_are_rounded_where_they_are_written_and_nowhere_else():
    result = small()
    assert result.accuracy[0, 0] == 1 / 3
    stored = json.loads(result.to_json())
    assert stored["share"] == 0.1
    assert stored["accuracy"] == [[0.3333, 1.0], [None, 0.5]]
    assert stored["gradient"] == [1.235e-9, 4568.0]
    assert stored["bleu"] == {"0.5": 98.77, "Infinity": 1.0}
    assert stored["times"] == [1 / 3]
    assert stored["device"]
    assert stored["seconds"] is None


def test_what_was_written_comes_back():
    text = small().to_json()
    again = Small.from_json(text)
    assert again.to_json() == text
    assert np.isnan(again.accuracy[1, 0])
    assert again.bleu == {0.5: 98.77, float("inf"): 1.0}


def test_results_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        small().share = 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: found.pop("share"), "at share, Field required"),
        (lambda found: found.update(shares=1), "at shares, Unexpected keyword argument"),
        (
            lambda found: found.update(gradient=[[1.0]]),
            r"at gradient, this must be Float\[ndarray, 'seeds'\], not float64 of shape \(1, 1\)",
        ),
        (lambda found: found.update(accuracy="much"), "at accuracy, "),
        (lambda found: found["bleu"].update(warm=1.0), "at bleu.warm"),
    ],
)
def test_what_is_not_such_a_result_is_named(change, words):
    found = json.loads(small().to_json())
    change(found)
    with pytest.raises(InvalidInput, match=words):
        Small.from_json(json.dumps(found))


def test_what_is_no_json_and_what_is_no_chapter_is_said():
    with pytest.raises(InvalidInput, match="written in JSON"):
        Small.from_json("[")
    with pytest.raises(InvalidInput, match="no chapter 'ch9' with measurements; there are ch00, ch01,"):
        recorded("ch9")
