"""`make check` reads the notebooks' code: what it catches, where it says it is, and IPython's own syntax."""

import nbformat.v4
import notebook_types as types
import pytest

pytestmark = pytest.mark.plain


def notebook(*cells):
    code = [nbformat.v4.new_code_cell(source, id=f"one-{i}") for i, source in enumerate(cells)]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A heading"), *code])


def test_a_misspelt_field_and_a_renamed_function_fail_with_their_notebook_cell_and_line(tmp_path):
    pytest.importorskip("pyright")
    right, wrong = tmp_path / "right.ipynb", tmp_path / "wrong.ipynb"
    first = 'from course_utils.experiments.results import recorded\n\nvariants = recorded("ch05").variants'
    cells = first, '%time x = 1\nvariants["forward"].bleu', "!ls\nrecorded??", "import asyncio\nawait asyncio.sleep(0)"
    nbformat.write(notebook(*cells), right)
    cells = first, '%%time\n\nvariants["forward"].blue', "record??", 'recorded("ch5")'
    nbformat.write(notebook(*cells), wrong)
    errors = types.problems([right, wrong])
    assert all(error.startswith(f"{wrong}, cell ") for error in errors), errors
    assert "cell 3 (id one-1), line 3: " in errors[0]
    assert '"blue"' in errors[0]
    assert errors[0].endswith('| variants["forward"].blue')
    where = dict.fromkeys(error.split(": ")[0].split(", ")[1] for error in errors)
    assert list(where) == ["cell 3 (id one-1)", "cell 4 (id one-2)", "cell 5 (id one-3)"]


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("x = 1\nx", "x = 1\nx"),
        ("unroll??", "unroll"),
        ("nnx.RNN?", "nnx.RNN"),
        ("%%timeit -n 3\nf(x)", "# %%timeit -n 3\nf(x)"),
        ("%timeit f(x)", "get_ipython().run_line_magic('timeit', 'f(x)')"),
        ("!pip list", "get_ipython().system('pip list')"),
        ("%%html\n<b>no Python</b>", "get_ipython().run_cell_magic('html', '', '<b>no Python</b>\\n')"),
        ("", ""),
    ],
)
def test_what_ipython_adds_to_the_language_becomes_python(cell, python):
    assert types.python_of(cell) == python
