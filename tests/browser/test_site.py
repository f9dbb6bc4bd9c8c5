"""The pages without a kernel, opened as files with the network cut: figures, questions, search, print, accessibility."""

import json
import pathlib

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from learner import answers

from course_utils.pages import SiteError, build_site
from course_utils.pages.formulas import in_html
from course_utils.pages.slides import build_slides
from course_utils.teaching.bank import KINDS, bank
from course_utils.teaching.grading import grade

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
FIGURES = ".course-front[data-kind=explorer]"
OTHER = ".course-written:not([hidden]), .course-drawing .machine"  # a text or a machine in place of a figure
WORDS = """([element, html]) => {
  const of = (e) => e.innerText.replace(/\\s+/g, ' ').trim();
  const other = document.createElement('div');
  other.innerHTML = html;
  element.after(other);
  const found = [of(element), of(other)];
  other.remove();
  return found;
}"""


@pytest.fixture(scope="module")
def site_of(tmp_path_factory):
    """Builds a site of some notebooks at COURSE_SIZE=quick; what one executed the next finds in the cache."""
    home = tmp_path_factory.mktemp("home")

    def build(*paths):
        out = tmp_path_factory.mktemp("site")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COURSE_HOME", str(home))
            patch.setenv("COURSE_SIZE", "quick")
            return build_site(paths, out).parent

    build.home = str(home)
    return build


@pytest.fixture
def opened(page):
    """Opens a page as a file; `.errors` has what went wrong in it, and every request that left the folder."""
    page.context.set_offline(True)
    page.errors = []
    local = ("file:", "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(local) or page.errors.append(request.url))
    page.on(
        "requestfailed",  # what a click on a link cancels has not failed
        lambda request: "ERR_ABORTED" in (request.failure or "") or page.errors.append(f"failed: {request.url}"),
    )
    page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))

    def go(path):
        page.goto(path.as_uri())
        return page

    yield go
    assert page.errors == []


def every_figure_is_drawn_and_moves(page):
    figures = page.locator(FIGURES)
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        figure.locator(f".js-plotly-plot .main-svg, {OTHER}").first.wait_for(timeout=20_000)
        caption = figure.locator(".course-summary")
        for slider in figure.locator("input[type=range][data-control]").all():
            slider.focus()
            before, seen = caption.inner_text(), set()
            for key in ("End", "Home"):
                slider.press(key)
                page.wait_for_timeout(100)
                seen.add(caption.inner_text())
                plot = figure.locator(".js-plotly-plot")
                assert not plot.count() or plot.evaluate("e => e.layout.meta.summary") in caption.inner_text()
            assert seen != {before}, before
    assert figures.count() == page.locator(f".course-plot.js-plotly-plot, {OTHER}").count()


def fill(form, question, answer):
    if question.kind in ("numeric", "shape"):
        form.locator("input").fill(answer)
    elif question.kind == "multiple":
        for i, box in enumerate(form.locator("input").all()):
            box.set_checked(i in answer)
    elif question.kind == "hunt":
        form.locator(f".course-code input[value='{answer[0]}']").check()
        form.locator(f".course-option input[value='{answer[1]}']").check()
    elif question.kind == "match":
        for i, box in enumerate(form.locator("select").all()):
            box.select_option(value=str(answer[i]))
    elif question.kind == "order":
        for place, item in enumerate(answer):
            row = form.locator(f"li[data-item='{item}']")
            while row.evaluate("e => [...e.parentElement.children].indexOf(e)") > place:
                row.get_by_role("button", name="Move up").click()
    else:
        form.locator(f"input[value='{answer}']").check()


def every_question_answers_as_the_notebook_does(page, chapter, questions=()):
    for question in questions or bank(chapter).questions:
        if question.kind == "hunt" and not page.locator(f"form#{question.id}").count():
            continue  # a notebook may leave a bug hunt out
        asked = question.variant(0)
        form = page.locator(f"form#{question.id}")
        said = form.locator(".course-said")
        assert not said.inner_text()
        if asked.kind != "order":
            form.locator("button[type=submit]").click()
            assert said.inner_text().startswith("→"), question.id
        tries = answers(asked)
        if asked.kind == "order":
            tries = [([*range(1, len(asked.items)), 0], False), *tries]
        for answer, right in tries:
            fill(form, asked, answer)
            form.locator("button[type=submit]").click()
            told = grade(asked, answer)
            assert told.correct is right or asked.kind == "predict"
            here, there = said.evaluate(WORDS.replace("[element, html]", "element, html"), in_html(told._repr_html_()))
            assert here == there, question.id


def is_accessible(page):
    # Not to preload: axe would ask for the style sheets again, in a way that files do not allow.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_moves_answers_and_remembers(site_of, opened, path):
    chapter = f"ch{path.stem[:2]}"
    page = opened(site_of(path) / "notebooks" / f"{path.stem}.html")
    stored = json.loads(path.read_text(encoding="utf-8"))
    shown = [o.get("data", {}) for c in stored["cells"] for o in c.get("outputs", [])]
    figures = [data for data in shown if "image/png" in data or "".join(data.get("text/html", "")).startswith("<pre>")]
    assert page.locator(FIGURES).count() == len(figures)
    every_figure_is_drawn_and_moves(page)

    every_question_answers_as_the_notebook_does(page, chapter)
    quiz = bank(chapter).quiz
    assert f"{len(quiz)} of {len(quiz)} right" in page.locator(".course-score").inner_text()
    assert all(found.get_attribute("open") is not None for found in page.locator(".course-reveal").all())
    assert page.get_by_text("You predicted").count() == page.locator(".course-reveal").count() >= 1
    page.locator(".course-exercise summary").first.click()

    page.reload()
    assert f"{len(quiz)} of {len(quiz)} right" in page.locator(".course-score").inner_text()
    changed = "id => { const key = 'recurrence-to-attention:' + id, kept = JSON.parse(localStorage[key]);"
    changed += " localStorage[key] = JSON.stringify({ ...kept, right: !kept.right }); }"
    page.evaluate(changed, quiz[0].id)  # as if the question had been another one when it was answered
    page.reload()
    assert (
        f"{len(quiz) - 1} of {len(quiz)} right, {len(quiz) - 1} answered" in page.locator(".course-score").inner_text()
    )
    assert not page.locator(f"form#{quiz[0].id} .course-said").inner_text()
    assert "$" not in page.locator("article").inner_text().replace("$ ", ""), "a formula was left as LaTeX"

    is_accessible(page)


FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e), row = e.closest('form li');
  return {
    end: e === document.body, outlined: style.outlineStyle !== 'none' || style.boxShadow !== 'none',
    tag: e.tagName, type: e.type ?? '', name: e.name ?? '', value: e.value ?? '', move: e.dataset.move ?? '',
    form: e.closest('form.course-question')?.id ?? '', open: e.closest('details')?.open,
    item: Number(row?.dataset.item ?? -1), place: row ? [...row.parentElement.children].indexOf(row) : -1,
    caption: e.closest('.course-figure')?.querySelector('.course-summary').textContent ?? e.getAttribute('aria-valuetext') ?? '',
    machine: Boolean(e.closest('.machine')),
  };
}"""


def work(page, at, asked, right):
    """Do with the keyboard what the control under the focus is for; `right` answers the question that it belongs to."""
    focus, press = lambda: page.evaluate(FOCUS), page.keyboard.press
    if at["type"] == "range":
        drawn = "document.activeElement.closest('.course-figure, .machine').querySelector('.main-svg, svg, .course-written:not([hidden])')"
        page.wait_for_function(drawn)
        for key in ("ArrowRight", "ArrowLeft"):  # where it stands at its end, the other way
            press(key)
            for _ in range(40):
                page.wait_for_timeout(25)  # what is said follows the figure
                if focus()["caption"] != at["caption"]:
                    return
        assert focus()["caption"] != at["caption"]
    elif at["type"] == "radio":
        press("Space")
        if asked.kind == "hunt":  # the line counts from 1, and every line is code
            right = right[0] - 1 if at["name"].endswith(" line") else right[1]
        for _ in range(right):
            press("ArrowDown")
    elif at["type"] == "checkbox":
        if int(at["value"]) in right:
            press("Space")
    elif at["type"] == "text" and asked:  # and not to search
        page.keyboard.type(right)
    elif at["tag"] == "SELECT":
        for _ in range(1 + asked.shuffled.index(right[int(at["name"])])):
            press("ArrowDown")
    elif at["move"]:
        for item in right:  # every row goes up to its place, the first one first
            while (focus()["item"], focus()["move"]) != (item, "-1"):
                press("Tab")
            while focus()["place"] > item:
                press("Enter")
        while focus()["type"] != "submit":
            press("Tab")
        press("Enter")
    elif at["type"] == "submit":
        press("Enter")
    elif at["tag"] == "SUMMARY" and not at["open"]:
        press("Enter")
        assert focus()["open"]


@pytest.mark.parametrize("path", NOTEBOOKS[1:2], ids=lambda path: path.stem)
def test_a_page_is_worked_by_keys_alone(site_of, opened, path):
    chapter = f"ch{path.stem[:2]}"
    page = opened(site_of(path) / "notebooks" / f"{path.stem}.html")
    questions = {question.id: question.variant(0) for question in bank(chapter).questions}
    assert {question.kind for question in questions.values()} | {"hunt"} == set(KINDS)
    sliders, worked = page.locator(f"{FIGURES} input[type=range][data-control]").count(), 0
    for _ in range(600):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at["end"]:
            break
        assert at["outlined"], at  # one sees where one is
        asked = questions.get(at["form"])
        worked += at["type"] == "range" and not at["machine"]
        work(page, at, asked, answers(asked)[-1][0] if asked else None)
    assert page.evaluate(FOCUS)["end"]  # no trap: the page has been left
    assert worked == sliders > 5
    quiz = bank(chapter).quiz
    assert f"{len(quiz)} of {len(quiz)} right" in page.locator(".course-score").inner_text()
    assert page.get_by_text("You predicted").count() == page.locator(".course-reveal").count()
    assert page.locator("details:not([open])").count() == 0


@pytest.fixture
def hunting(site_of, opened, tmp_path):
    """A page of a notebook that asks one hunt."""
    for name in ("notebooks", "data/pictures"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "LICENSE").write_text("Free.")
    (tmp_path / "README.md").write_text("# A course\n\n[A hunt](notebooks/03_hunt.ipynb)\n")
    cell = nbformat.v4.new_code_cell("from course_utils.teaching import hunt\nhunt('ch03-hunt')")
    path = tmp_path / "notebooks" / "03_hunt.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A hunt"), cell]), path)
    return opened(site_of(path) / "notebooks" / "03_hunt.html")


def test_a_hunt_on_a_page_answers_remembers_and_is_worked_by_keys_alone(hunting):
    page, question = hunting, bank("ch03").question("ch03-hunt")
    every_question_answers_as_the_notebook_does(page, "ch03", [question])
    page.reload()
    assert "Your earlier answer" in page.locator("form#ch03-hunt .course-said").inner_text()
    assert page.locator(".course-code input:checked").get_attribute("value") == str(question.wrong)
    assert page.get_by_role("radio", name="7 C = (1 - f) * C + i * candidate").is_checked()
    assert page.get_by_text("In a notebook this code is trained").is_visible()
    assert page.get_by_role("button", name="Train it").count() == 0
    is_accessible(page)
    page.evaluate("localStorage.clear()")
    page.reload()
    for _ in range(200):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at["form"]:
            assert at["outlined"], at
            work(page, at, question, [question.wrong, 1])
        if at["type"] == "submit" and at["form"]:
            break
    assert "✓ Found, and its symptom too." in " ".join(page.locator(".course-said").inner_text().split())


def test_pages_are_joined_by_links_that_lead_somewhere(site_of, tmp_path):
    for name in ("notebooks", "data/pictures"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "LICENSE").write_text("Free.")
    notebooks = [tmp_path / "notebooks" / f"0{i}_some.ipynb" for i in range(2)]
    for path in notebooks:
        head = nbformat.v4.new_markdown_cell(f"# {path.stem}\n\nSee [the other](01_some.ipynb).")
        nbformat.write(nbformat.v4.new_notebook(cells=[head]), path)
    (tmp_path / "README.md").write_text("# A course\n\n[Begin](notebooks/00_some.ipynb)\n")
    site_of(*notebooks)
    (tmp_path / "README.md").write_text("# A course\n\n[Begin](notebooks/02_lost.ipynb)\n")
    with pytest.raises(SiteError, match="02_lost"):
        site_of(*notebooks)


def test_pages_are_joined_searched_and_printed(site_of, opened):
    site = site_of(*NOTEBOOKS[:2])
    page = opened(site / "index.html")
    page.set_viewport_size({"width": 1400, "height": 1000})  # with its sides
    is_accessible(page)
    page.get_by_role("link", name="01 · Recurrence").first.click()
    assert page.locator("h1").inner_text().startswith("01 · Recurrence")
    page.get_by_role("link", name="Previous 00 · Start here").click()
    assert page.locator("h1").inner_text().startswith("00 · Start here")
    page.get_by_role("textbox", name="Search").fill("perplexity")
    page.get_by_role("textbox", name="Search").press("Enter")
    page.locator("#search-results li").first.wait_for()
    assert "01 · Recurrence" in page.locator("#search-results").inner_text()

    page.goto((site / "notebooks" / "01_recurrence.html").as_uri())
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert page.locator(f".course-plot.js-plotly-plot, {OTHER}").count() == page.locator(FIGURES).count()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_slides_walk_through_the_notebooks_sections(site_of, opened, tmp_path, monkeypatch, path):
    monkeypatch.setenv("COURSE_HOME", site_of.home)
    monkeypatch.setenv("COURSE_SIZE", "quick")
    page = opened(build_slides(path, tmp_path / "slides"))
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "markdown"]
    heads = [line for cell in cells for line in "".join(cell["source"]).splitlines() if line.startswith("#")]
    told = heads[: next(i for i, head in enumerate(heads) if head.startswith("## Quiz"))]
    assert [h.strip("# ").replace("`", "") for h in told] == page.locator(".slides h1, .slides h2").all_text_contents()
    for _ in range(page.evaluate("Reveal.getTotalSlides()")):
        slide = page.locator("section.present section.present")
        for figure in slide.locator(FIGURES).all():
            figure.locator(f".main-svg, {OTHER}").first.wait_for(timeout=20_000)
        high, seen = slide.evaluate("e => [e.scrollHeight, e.clientHeight]")
        assert high <= seen + 2, slide.inner_text()
        assert "$" not in slide.inner_text(), "a formula was left as LaTeX"
        page.evaluate("Reveal.next()")
    assert page.locator(f".course-plot.js-plotly-plot, {OTHER}").count() == page.locator(FIGURES).count() > 3
    assert page.locator("aside.notes").count() > 5
