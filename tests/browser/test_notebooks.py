"""Every notebook as a learner meets it: run, every control moved, every question answered wrongly and rightly."""

import pathlib
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from learner import answers
from playwright.sync_api import expect

from course_utils.teaching.bank import bank
from course_utils.teaching.quiz import Sheet

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


# Faults that axe-core finds in what JupyterLab, Notebook 7 and ipywidgets bring; docs/accessibility.md has the way round each.
THEIRS = re.compile(r'class="([^"]* )?(jp-|cm-|lm-|noUi-|validate-button|skip-link)|title="Name: ')


def ours(found):
    """The faults that are in elements of ours: rule and element."""
    nodes = [(rule["id"], node["html"]) for rule in found.response["violations"] for node in rule["nodes"]]
    return [(rule, html[:300]) for rule, html in nodes if not THEIRS.search(html[: html.index(">") + 1])]


TEXT = ".course-written:not([hidden])"
MACHINE = ".course-drawing .machine"
DRAWN = f".js-plotly-plot, {TEXT}, {MACHINE}"  # a figure, or a text or a machine in its place


def words_of(explorer):
    """Its sentence, and what a machine writes."""
    return explorer.locator(".course-drawing").text_content() + explorer.locator(".course-summary").inner_text()


def changes(explorer, act, opened, figures=1):
    """Do something to an explorer and wait for its sentence and figure to follow."""
    before = words_of(explorer)
    act()
    for _ in range(200):
        opened.page.wait_for_timeout(25)
        if words_of(explorer) != before:
            break
    assert words_of(explorer) != before, before
    expect(explorer.locator(DRAWN)).to_have_count(figures)
    return words_of(explorer)


def activate(element, opened):
    """Without a mouse in JupyterLab; with one in Notebook 7."""
    if opened.front != "lab":
        element.click()
        return
    assert element.evaluate("e => e.tabIndex") >= 0
    element.focus()
    element.press("Space")


def choose(element, index, opened):
    """Choose from a list: with keys in JupyterLab (arrows alone would move between cells, so it is opened first)."""
    if opened.front != "lab":
        element.select_option(index=index)
        return
    steps = index - element.evaluate("e => e.selectedIndex")
    activate(element, opened)
    for _ in range(abs(steps)):
        opened.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    opened.page.keyboard.press("Enter")


PAST_THE_MIDDLE = """e => ['left', 'top'].map((side, i) => {
  const { _offset, _length } = e.courseAxes[i];
  return parseFloat(e.style[side]) - _offset > _length / 2;
})"""  # to the right of it, and below it


def to_where_there_is_room(handle):
    """Keys that move a handle across the middle of its axes."""
    right, below = handle.evaluate(PAST_THE_MIDDLE)
    return ["ArrowLeft" if right else "ArrowRight"] * 5 + ["ArrowUp" if below else "ArrowDown"] * 5


def move_every_control(explorer, opened):
    page = opened.page
    explorer.scroll_into_view_if_needed()
    moved = 0
    for slider in explorer.locator("input[type=range][data-control]").all():
        slider.focus()
        changes(explorer, lambda: page.keyboard.press("ArrowRight"), opened)
        assert slider.evaluate("e => e === document.activeElement")  # and not on to the next cell
        moved += 1
    for preset in explorer.locator(".course-preset").all():
        activate(preset, opened)
        expect(preset).to_have_attribute("aria-pressed", "true")
    for handle in explorer.locator(".course-handle").all():
        handle.focus()
        keys = to_where_there_is_room(handle)
        changes(explorer, lambda keys=keys: [page.keyboard.press(key) for key in keys], opened)
    for box in explorer.locator("input[type=number]").all():
        assert box.evaluate("e => e.labels.length") >= 1  # a name for who does not see it
        low, high = (float(box.get_attribute(name)) for name in ("min", "max"))
        for value in (high, low):
            if float(box.input_value()) != value:
                changes(explorer, lambda box=box, value=value: box.fill(f"{value:g}"), opened)
                moved += 1
    for choice in explorer.locator("select").all():
        for i in range(choice.locator("option").count() - 1, -1, -1):
            if choice.evaluate("e => e.selectedIndex") == i:
                continue  # chosen already: nothing would change
            changes(explorer, lambda choice=choice, i=i: choose(choice, i, opened), opened)
            moved += 1
    for check in explorer.locator("input[type=checkbox]").all():
        changes(explorer, lambda check=check: activate(check, opened), opened)
        moved += 1
    for line in explorer.locator("input[type=text]").all():
        kept = line.input_value()
        # A line that is empty at first may stay empty; without a sentence a machine draws its own.
        empty = [("", "empty", 0)] if kept and not explorer.locator(MACHINE).count() else []
        for typed, said, figures in (("the xyzzy", "xyzzy", 0), *empty, (kept, "", 1)):
            line.fill(typed)
            assert said in changes(explorer, lambda line=line: line.press("Enter"), opened, figures)
            moved += 1
    return moved


def questions_on(page, chapter):
    """Those of the bank; a notebook may leave a bug hunt out."""
    return [q for q in bank(chapter).questions if q.kind != "hunt" or page.locator(f".{q.id}").count()]


def answer_every_question(opened, chapter):
    page = opened.page
    for question in questions_on(page, chapter):
        card = page.locator(f".{question.id}")
        card.scroll_into_view_if_needed()
        if not card.locator(".course-said").inner_text():  # nothing chosen yet, now or in another front end
            check(card, "✗" if question.kind == "order" else "→", opened)
        for asked in as_asked(question):
            for answer, right in answers(asked):
                fill(card, asked, answer, opened)
                check(card, {True: "✓", False: "✗", None: "→"}[right], opened)
            if question.variants > 1:
                card.get_by_role("button", name="New numbers").click()
                expect(card.locator(".course-said")).to_have_text("")


def check(card, mark, opened):
    """Press the button and wait for what is said: other words than before, with this mark in front."""
    said = card.locator(".course-said")
    before = said.inner_text()
    activate(card.locator("button[type=submit]"), opened)
    for _ in range(200):
        opened.page.wait_for_timeout(25)
        now = said.inner_text()
        if now != before or now.startswith("→ Kept"):  # every prediction is answered alike
            break
    expect(said).to_contain_text(mark)


def as_asked(question):
    """The question in the variants that this learner is asked first and second."""
    if question.variants == 1:
        return [question]
    sheet = Sheet(bank(question.id.split("-")[0]))  # reads the learner's own progress, as the notebook does
    return [sheet.question(question.id), sheet.another(question.id)]


def fill(card, question, answer, opened):
    """Enter an answer."""
    if question.kind in ("numeric", "shape"):
        card.locator("input[type=text]").fill(answer)
        card.locator("input[type=text]").press("Tab")
    elif question.kind == "multiple":
        for i, box in enumerate(card.locator("input[type=checkbox]").all()):
            if box.is_checked() != (i in answer):
                activate(box, opened)
    elif question.kind == "order":
        rows = [int(row.get_attribute("data-item")) for row in card.locator("li").all()]  # as they stand now
        assert sorted(rows) == list(range(len(question.items)))
        downs = card.locator("button[data-move='1']")
        for _ in rows:  # bubble sort, as a patient person would
            for i in range(len(rows) - 1):
                if rows[i] > rows[i + 1]:
                    activate(downs.nth(i), opened)
                    rows[i], rows[i + 1] = rows[i + 1], rows[i]
    elif question.kind == "match":
        for i, box in enumerate(card.locator("select").all()):
            choose(box, 1 + question.shuffled.index(answer[i]), opened)
    elif question.kind == "hunt":
        for part, value in zip((".course-code", ".course-option"), answer, strict=True):
            activate(card.locator(f"{part} input[value='{value}']"), opened)
    else:
        activate(card.locator("input[type=radio]").nth(answer), opened)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_learner_goes_through(open_notebook, server, path, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(server[1] / "home"))  # the learner's, to know which variants are asked
    opened = open_notebook(path)
    page, chapter = opened.page, f"ch{path.name[:2]}"
    opened.run_all()
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0

    explorers = page.locator(".course-explorer").all()
    assert len(explorers) >= 3
    for explorer in explorers:
        assert explorer.locator(DRAWN).count() == 1
        assert move_every_control(explorer, opened) >= 1
        if explorer.locator(MACHINE).count():
            continue  # which has the height of its picture
        drawn, room, said = (
            explorer.locator(part).first.bounding_box()
            for part in (f".main-svg, {TEXT}", f".course-stage:visible, {TEXT}", "[role=status]")
        )
        assert drawn["y"] == pytest.approx(room["y"], abs=2)  # the figure has no height of its own: it fills its room
        assert drawn["height"] == pytest.approx(room["height"], abs=2)
        assert drawn["y"] + drawn["height"] <= said["y"]
    assert page.locator(".course-question").count() == len(questions_on(page, chapter))
    answer_every_question(opened, chapter)
    total = len(bank(chapter).quiz)
    page.get_by_text(f"{total} of {total} right").wait_for()

    assert ours(Axe().run(page)) == []

    opened.restart_and_run_all()
    page.get_by_text(f"{total} of {total} right").wait_for()
    assert page.get_by_text("Your earlier answer").count() >= total
    assert page.get_by_text("You predicted").count() >= 1
    assert opened.outside == []
    assert opened.errors == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_saved_page_shows_every_figure_without_running(open_notebook, path):
    """Opened and not run, as a reader without a kernel has it: figures, questions and captions are there."""
    opened = open_notebook(path)
    stored = path.read_text(encoding="utf-8").count('"application/vnd.plotly.v1+json"')
    figures = opened.page.locator(".jp-RenderedPlotly")
    figures.nth(stored - 1).wait_for(timeout=30_000)
    assert figures.count() == stored
    for figure in figures.all():  # the stored picture first; the live figure takes its place when pointed at
        figure.scroll_into_view_if_needed()
        assert figure.locator("img").evaluate("e => e.naturalWidth") > 500
        figure.hover()
    opened.page.locator(".jp-RenderedPlotly.js-plotly-plot").nth(stored - 1).wait_for(timeout=30_000)
    assert opened.page.get_by_text("Run this cell in a notebook to answer").count() >= 1
    assert opened.outside == []
