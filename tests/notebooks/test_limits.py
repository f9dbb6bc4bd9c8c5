"""What a chapter must be, checked on the files: short cells, predictions, captions, nothing stale stored."""

import json
import pathlib
import re
import statistics

import nbformat
import pytest
import yaml
from reading import LESSONS

from course_utils.front.surface import PLOTLY_MIME, WIDGET_MIME
from course_utils.teaching.bank import bank

FOLDER = pathlib.Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FIRST_DRAFT = ("What we measured", "Quiz", "Open project", "References")  # how the others close until they are lessons
PLOTTING = re.compile(r"\b(plotly|go\.Figure|matplotlib|plt\.|add_scatter|add_trace|update_layout)\b")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, 4)


@pytest.fixture
def chapter(path):
    return f"ch{path.name[:2]}"


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def sections(notebook):
    """Numbered sections: title → cells."""
    found, title = {}, None
    for cell in notebook.cells:
        for heading in re.findall(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []:
            title = heading if re.match(r"\d+ · ", heading) else None
            if title:
                found[title] = []
        if title:
            found[title].append(cell)
    return found


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_size_and_form(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size <= 1_500_000
    assert "widgets" not in notebook.metadata
    assert WIDGET_MIME not in path.read_text(encoding="utf-8")
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            assert "step/s]" not in output.get("data", {}).get("text/plain", ""), "a progress bar was stored"


TAGS = {"stamp", "timing", "nbval-ignore-output"}  # with nbval-skip or raises-exception nothing would be checked


def test_every_cell_has_been_run_and_none_is_left_out_of_the_checks(notebook):
    for cell in code(notebook):
        assert cell.execution_count, cell.source  # nbval compares nothing where it is missing
        assert set(cell.metadata.get("tags", [])) <= TAGS, cell.source
        assert not re.search(r"^\s*#\s*(NBVAL|PYTEST)_", cell.source, re.MULTILINE), cell.source


def test_what_a_training_must_give_belongs_to_one_cell_each(path, notebook):
    stored = yaml.safe_load((pathlib.Path(__file__).with_name("trained.yaml")).read_text(encoding="utf-8"))
    assert set(stored) <= {path.stem for path in NOTEBOOKS}
    for text in stored.get(path.stem, {}):
        assert sum(text in cell.source for cell in code(notebook)) == 1, text


def test_it_has_been_built(notebook):
    assert sum(bool(cell.outputs) for cell in code(notebook)) >= 0.6 * len(code(notebook))


def test_cells_are_short(notebook):
    sizes = [len(lines(cell)) for cell in code(notebook)]
    assert max(sizes) <= 20
    assert statistics.median(sizes) <= 8


def test_a_stamp_follows_the_title(notebook):
    stamped = [i for i, cell in enumerate(notebook.cells) if "stamp" in cell.metadata.get("tags", [])]
    assert stamped == list(range(1, 1 + len(stamped))), "run `course stamp --clear`"


def test_the_set_up_is_one_cell_of_six_lines(notebook):
    first = next(cell for cell in code(notebook) if "stamp" not in cell.metadata.get("tags", []))
    assert len(lines(first)) <= 6
    assert lines(first)[-1] == "runtime.setup()"


def test_never_three_code_cells_in_a_row(notebook):
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert "ccc" not in kinds, [cell.source[:60] for cell in notebook.cells[kinds.index("ccc") :][:3]]


def test_no_plotting_code(notebook):
    for cell in code(notebook):
        assert not PLOTTING.search(cell.source), cell.source


def opening(notebook):
    """The text before the first section."""
    return re.split(r"^## ", prose(notebook), maxsplit=1, flags=re.MULTILINE)[0]


def test_one_h1_and_an_opening(path, notebook):
    assert len(re.findall(r"^# ", prose(notebook), re.MULTILINE)) == 1
    assert notebook.cells[0].source.startswith(f"# {path.name[:2]} · ")
    assert re.search(r"About \d+ minutes", opening(notebook))
    assert 3 <= len(re.findall(r"^\d\. ", opening(notebook), re.MULTILINE)) <= 5


def test_each_section_explains_shows_and_asks_for_a_prediction(path, notebook):
    found = sections(notebook)
    assert (3 <= len(found) <= 5) if path.stem in LESSONS else (4 <= len(found) <= 7)
    for title, cells in found.items():
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        asked, answered = (len(re.findall(rf"\b{call}\(", text)) for call in ("predict", "reveal"))
        assert asked == answered
        assert asked >= 1 if path.stem in LESSONS else asked == 1, title
        why = next(
            p
            for p in "\n\n".join(c.source for c in cells if c.cell_type == "markdown").split("\n\n")
            if not p.startswith("#")
        )
        assert 25 <= len(why.split()) <= 85, (title, len(why.split()))


def test_predictions_come_before_what_reveals_them(notebook, chapter):
    text = "\n".join(cell.source for cell in code(notebook))
    asked = re.findall(r'predict\("([^"]+)"\)', text)
    assert asked == [q.id for q in bank(chapter).questions if q.kind == "predict"]
    for id in asked:
        assert text.index(f'predict("{id}")') < text.index(f'reveal("{id}"')


def test_every_figure_has_words_and_a_picture(notebook):
    figures = [o for cell in code(notebook) for o in cell.outputs if PLOTLY_MIME in o.get("data", {})]
    assert figures
    for output in figures:
        meta = output.data[PLOTLY_MIME]["layout"]["meta"]
        assert meta["caption"]
        assert output.data["text/plain"].endswith(meta["summary"])
        assert 1000 < len(output.data["image/png"]) <= 80_000  # base64 of at most 60 kB
        assert len(json.dumps(output.data[PLOTLY_MIME])) <= 100_000  # a page gets all of it at every move


def test_it_closes_as_every_chapter_does(path, notebook, chapter):
    headings = re.findall(r"^## (.+)$", prose(notebook), re.MULTILINE)
    lesson = ("Going deeper", "Takeaways", "Quiz", "Open project", "Limits", "References")
    order = [headings.index(name) for name in (lesson if path.stem in LESSONS else FIRST_DRAFT)]
    assert order == sorted(order)
    assert path.stem in LESSONS or "**Summary.**" in prose(notebook)
    assert f'quiz("{chapter}")' in "\n".join(cell.source for cell in code(notebook))


def test_what_goes_deeper_opens_folded_in_a_lesson(path, notebook):
    folded = [
        cell.source.splitlines()[0] for cell in notebook.cells if cell.metadata.get("jp-MarkdownHeadingCollapsed")
    ]
    assert folded == (["## Going deeper"] if path.stem in LESSONS else [])


def test_quiz_and_predictions_send_the_reader_to_sections_that_exist(notebook, chapter):
    headings = set(re.findall(r"^## (.+)$", prose(notebook), re.MULTILINE))
    for question in bank(chapter).questions:
        assert question.section in headings, question.id


def test_objectives_are_those_of_the_quiz(notebook, chapter):
    assert len(re.findall(r"^\d\. ", opening(notebook), re.MULTILINE)) == len(bank(chapter).objectives)


def test_at_least_half_of_the_text_outputs_are_compared(notebook):
    """nbval skips cells tagged nbval-ignore-output; if most were skipped it would compare nothing."""
    with_text = [c for c in code(notebook) if any("text/plain" in o.get("data", {}) or "text" in o for o in c.outputs)]
    compared = [c for c in with_text if "nbval-ignore-output" not in c.metadata.get("tags", [])]
    assert len(compared) >= len(with_text) / 2


def test_times_are_marked(notebook):
    for cell in code(notebook):
        if "_time" in cell.source or "seconds(" in cell.source:
            assert "timing" in cell.metadata.get("tags", []), cell.source


@pytest.mark.parametrize("call", [r"\.check\(", r"\breveal\(", r"\bpredict\(", r"\bquiz\("])
def test_what_is_said_stands_last_in_its_cell_or_no_one_reads_it(notebook, call):
    for cell in code(notebook):
        said = [line for line in lines(cell) if re.search(call, line)]
        assert said in ([], [lines(cell)[-1]]), cell.source
