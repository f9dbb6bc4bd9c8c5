"""Tables: what a cell says of a value, headings that head their columns, and the same as text."""

import re
from html.parser import HTMLParser

import jax.numpy as jnp
import numpy as np
import pytest

from course_utils.front.tables import Table, in_words, show_table
from course_utils.runtime import InvalidInput

ROWS = {"GRU": {"updates": 1_200, "right": 0.987}, "LSTM <1>": {"updates": None, "right": 1.0}}


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen, self.tag = [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tag = (tag, dict(attrs).get("scope"))

    def handle_data(self, data):
        self.seen.append((*self.tag, data))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (1234, "1,234"), (0.27, "0.27"), (27.06, "27.1"), (12345.6, "12,346"), (1.447e-11, "1.4·10⁻¹¹"), (0.0, "0"), (-0.5, "−0.50"),
        (True, "yes"), (np.False_, "no"), (None, "–"), (float("nan"), "–"), (float("inf"), "∞"), ("a", "a"), ([0.5, None], "0.50, –"),
        (np.array([1, 2]), "1, 2"), (jnp.float32(0.5), "0.50"), (jnp.array([0.5]), "0.50"), ((), ""), (9.999, "10.0"), (99.97, "100"),
    ],
)  # fmt: skip
def test_a_cell_says_its_value_in_few_digits(value, cell):
    assert in_words(value) == cell


def test_headings_head_rows_and_columns_and_what_is_missing_is_a_dash():
    assert Cells(Table.of(ROWS, "Delay of 40 & more", "network")._repr_html_()).seen == [
        ("caption", None, "Delay of 40 & more"), ("th", "col", "network"), ("th", "col", "updates"), ("th", "col", "right"),
        ("th", "row", "GRU"), ("td", None, "1,200"), ("td", None, "0.99"),
        ("th", "row", "LSTM <1>"), ("td", None, "–"), ("td", None, "1.00"),
    ]  # fmt: skip
    assert (
        repr(Table.of(ROWS, "Delay"))
        == "Delay\n          updates  right\nGRU         1,200   0.99\nLSTM <1>        –   1.00"
    )


def test_numbers_are_aligned_to_the_right_and_words_to_the_left():
    table = Table.of([{"a": 1, "b": "x"}, {"a": 22.5, "c": [1, 2]}])
    assert table.numeric == [True, False, False]
    assert not table.named
    aligned = re.findall(r"text-align:(\w+)", table._repr_html_().split("<tbody>")[1])
    assert aligned == ["right", "left", "left"] * 2
    assert repr(table).splitlines()[0] == "   a  b  c"


def test_one_value_a_name_needs_no_heading():
    table = Table.of({"always 1": 0.17, "LSTM": 0.001})
    assert "<thead>" not in table._repr_html_()
    assert repr(table) == "always 1      0.17\nLSTM      1.0·10⁻³"


@pytest.mark.parametrize(
    ("rows", "said"),
    [({}, "no rows"), ([], "no rows"), ({"a": {}}, "rows are empty"), ({"a": 1, "b": {"c": 1}}, "one value by its name")],
)  # fmt: skip
def test_what_is_no_table_is_refused(rows, said):
    with pytest.raises(InvalidInput, match=said):
        Table.of(rows)


def test_without_a_front_end_it_is_text(capsys):
    show_table(ROWS, "Delay of 40")
    assert capsys.readouterr().out.startswith("Delay of 40\n")
