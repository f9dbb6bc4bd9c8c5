"""Every machine on a page without a kernel: all steps, on a wide page and on a phone, light and dark."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from drawings import MACHINES, machine

from course_utils.machines import page as page_of
from course_utils.machines.machine import plain_text
from course_utils.machines.page import SCRIPT
from course_utils.machines.parts import number

NAMES = list(MACHINES)
SIZES = {"wide": 700, "narrow": 390}

# Goes through all steps of a machine by its slider; at each: texts that overlap, are cut off or are too small, and what is written.
WALK = """([root, width]) => {
  const range = root.querySelector('input[type=range]'), presets = [...root.querySelectorAll('button[aria-pressed]')];
  const seen = (e) => e.textContent.trim() && +getComputedStyle(e.closest('.node, .edge')).opacity > 0
    && getComputedStyle(e).visibility !== 'hidden';
  const walked = [], faults = new Set();
  for (let v = 0; v < Math.max(1, presets.length); v++) {
    presets[v]?.click();
    for (let s = 0; s <= +range.max; s++) {
      range.value = s;
      range.dispatchEvent(new Event('input', { bubbles: true }));
      const where = `variant ${v}, step ${s + 1}: `, picture = root.querySelector('.stage svg'), all = picture.getBoundingClientRect();
      const texts = [...picture.querySelectorAll('text')].filter(seen).map((e) => {
        const box = e.getBoundingClientRect(), less = 0.18 * box.height; // a box of text has room above and below
        return { text: e.textContent, size: Math.min(...[e, ...e.children].map((p) => parseFloat(getComputedStyle(p).fontSize))),
          left: box.left, right: box.right, top: box.top + less, bottom: box.bottom - less };
      });
      texts.forEach((a, i) => {
        if (a.size < 11) faults.add(`${where}${a.text} has ${a.size} pixels`);
        if (a.left < all.left - 1 || a.right > all.right + 1 || a.top < all.top - 1 || a.bottom > all.bottom + 1)
          faults.add(`${where}${a.text} is cut off`);
        for (const b of texts.slice(i + 1))
          if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
            faults.add(`${where}${a.text} lies over ${b.text}`);
      });
      if (document.documentElement.scrollWidth > width) faults.add(`${where}the page is wider than its window`);
      if (root.querySelectorAll('[role=status]').length !== 1) faults.add(`${where}more than one status`);
      walked.push({
        said: root.querySelector('[role=status]').textContent,
        now: [...picture.querySelectorAll('.now')].map((e) => e.dataset.id),
        cells: Object.fromEntries([...picture.querySelectorAll('.node')].map((e) => [e.dataset.id, {
          written: [...e.querySelectorAll('text:not(.label)')].map((t) => t.textContent),
          bars: [...e.querySelectorAll('.bar')].map((bar) => [bar.getAttribute('width'), bar.getAttribute('height'), bar.style.fill]),
        }])),
      });
    }
  }
  return { walked, faults: [...faults], layout: root.querySelector('.stage svg').getAttribute('width') };
}"""


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """One page with all machines."""
    path = tmp_path_factory.mktemp("machines") / "machines.html"
    path.write_text(page_of("Machines", map(machine, NAMES)), encoding="utf-8")
    return path


@pytest.fixture
def opened(page, held):
    """`opened(width, scheme)` opens it; whatever the page complains of, or asks of a network, fails the test."""
    faults = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "blob:")) else faults.append(request.url)
    )

    def go(width=700, scheme="light", motion="reduce"):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion=motion)
        page.goto(held.as_uri())
        return page

    yield go
    assert faults == []


def on_the_page(text):
    """A text as the page has it: indices and exponents are raised or lowered, and no marks."""
    return re.sub(r"[_^]", "", plain_text(text))


def drawn_numbers(drawn):
    """What each step of a machine must write: for all its variants one step after another, id → texts."""
    numbered = {node.id: node.look for node in drawn.nodes if node.look.get("digits") is not None}
    for variant in drawn.variants:
        values = {}
        for one in variant.steps:
            values = {**values, **one.values}
            texts = {
                id: [on_the_page(v) if isinstance(v, str) else number(v, numbered[id]["digits"]) for v in values[id]]
                for id in numbered
                if values.get(id) is not None
            }
            yield one, texts, values


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("layout", SIZES)
def test_every_step_can_be_read_and_shows_the_numbers_of_its_arrays(opened, layout, scheme):
    page = opened(SIZES[layout], scheme)
    roots = page.locator(".machine")
    assert roots.count() == len(NAMES)
    assert roots.first.evaluate("e => e.classList.contains('dark')") is (scheme == "dark")
    for name, root in zip(NAMES, roots.all(), strict=True):
        found = root.evaluate("(root, args) => (" + WALK + ")([root, args])", SIZES[layout])
        assert found["faults"] == [], name
        drawn = machine(name)
        assert float(found["layout"]) == getattr(drawn, layout)[0]
        for seen, (one, texts, values) in zip(found["walked"], drawn_numbers(drawn), strict=True):
            assert seen["said"] == on_the_page(one.sentence()), name
            assert set(seen["now"]) == set(one.lit), name
            for id, written in texts.items():
                assert seen["cells"][id]["written"] == written, (name, one.title, id)
            for node in drawn.nodes:
                value = values.get(node.id)
                if node.kind != "cells":
                    if isinstance(value, str) and node.kind != "box":
                        assert seen["cells"][node.id]["written"] == [re.sub(r"[_^]", "", plain_text(value))], (
                            name,
                            node.id,
                        )
                    continue
                for bar, number_ in zip(seen["cells"][node.id]["bars"], value or [], strict=False):
                    assert (bar[2] == "var(--neg)") is (isinstance(number_, float) and number_ < 0), (name, node.id)


def test_a_machine_is_played_paused_and_worked_by_keys(opened):
    page = opened(motion="no-preference")
    root = page.locator(".machine").nth(NAMES.index("LSTM by hand"))
    count, play = root.locator("span.soft").first, root.locator("button.play")
    root.focus()
    for key, at in (("ArrowRight", 2), ("End", 6), ("ArrowLeft", 5), ("Home", 1)):
        page.keyboard.press(key)
        assert count.inner_text() == f"{at} of 6"
    page.keyboard.press("Space")
    assert play.inner_text() == "❚❚ Pause"
    assert count.inner_text() == "2 of 6"
    play.click()
    assert play.inner_text() == "▶ Play"
    root.get_by_role("button", name="Next").click()
    assert count.inner_text() == "3 of 6"
    root.get_by_role("button", name="Back").click()
    range_ = root.get_by_role("slider", name="Step")
    range_.focus()
    page.keyboard.press("ArrowRight")
    assert count.inner_text() == "3 of 6"
    assert range_.get_attribute("aria-valuetext") == "step 3: Forget."
    page.wait_for_function("root => root.querySelector('.edge.now')", arg=root.element_handle())


def test_every_number_can_be_read_as_a_table_and_by_pointing(opened):
    page = opened()
    root = page.locator(".machine").nth(NAMES.index("LSTM by hand"))
    page.evaluate("root => root.scrollIntoView()", root.element_handle())
    root.get_by_role("button", name="Next").click()
    root.locator("summary").click()
    rows = [row.inner_text().split("\t") for row in root.locator("tr").all()]
    assert ["ft, the forget gate", "0.90"] in rows
    root.locator("[data-id=f] .grid").hover()
    assert root.locator(".read").inner_text() == "ft, the forget gate: 0.90"


def test_a_preset_shows_the_other_run_at_the_same_step(opened):
    page = opened()
    root = page.locator(".machine").nth(NAMES.index("gradient"))
    for _ in range(4):
        root.get_by_role("button", name="Next").click()
    root.get_by_role("button", name="W × 1.2").click()
    assert root.locator("button[aria-pressed=true]").inner_text() == "W × 1.2"
    assert root.locator("[role=status]").inner_text() == on_the_page(
        machine("gradient").variants[2].steps[4].sentence()
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_machines_are_accessible(opened, scheme):
    found = Axe().run(opened(700, scheme), options={"resultTypes": ["violations"], "preload": False})
    assert found.violations_count == 0, found.generate_report()


def test_a_view_mounts_what_its_model_is_about_and_leaves_nothing(opened):
    page = opened()
    counts = page.evaluate(
        """async (text) => {
          const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
          const { default: { render } } = await import(url);
          const spec = JSON.parse(document.querySelector('.a-machine script').textContent), el = document.createElement('div');
          document.body.append(el);
          const close = render({ model: { get: (name) => ({ about: spec })[name] }, el });
          const machines = el.querySelectorAll('.machine').length;
          close();
          return [machines, el.children.length];
        }""",
        SCRIPT.read_text(encoding="utf-8"),
    )
    assert counts == [1, 0]
