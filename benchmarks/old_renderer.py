"""How explorers were shown before `front/`: ipywidgets above an `Output` that Plotly's MIME renderer draws in. For `latency.py` alone.

`install()` in a kernel: each explorer shown from then on has an old one above it, with controls of its own.
"""

import html
from typing import Any

import ipywidgets
from IPython.display import display

from course_utils.figures.style import words
from course_utils.front import surface
from course_utils.machines import Machine
from course_utils.widgets.explore import Explorer, first_words

CONFIG = {"displayModeBar": False, "responsive": True}
LABEL = {"description_width": "initial"}
STYLE = (
    "<style>.course-old-stage .jp-RenderedPlotly{height:0!important;min-height:0!important}"
    ".course-old-stage .jp-RenderedPlotly,.course-old-stage .jp-OutputArea,.course-old-stage .jp-OutputArea-child"
    "{overflow:visible!important}</style>"
)


def install() -> None:
    """Show an old explorer above each new one."""
    new = Explorer._repr_mimebundle_

    def both(self, include=None, exclude=None):
        if not isinstance(self.figure(), Machine):
            display(_Old(self).widget)  # above: the new view hides what follows it
        return new(self, include, exclude)

    Explorer._repr_mimebundle_ = both


def _holder(control, value):
    """The widget that is shown for a control, and the one that holds its value."""
    label = control.label
    if control.kind == "slider":
        bounds = {
            "min": control.about["low"],
            "max": control.about["high"],
            "step": control.about["step"],
            "value": value,
        }
        whole = isinstance(control.about["low"], int)
        box = (ipywidgets.BoundedIntText if whole else ipywidgets.BoundedFloatText)(
            **bounds, description=label, style=LABEL
        )
        bar = (ipywidgets.IntSlider if whole else ipywidgets.FloatSlider)(**bounds, readout=False)
        ipywidgets.link((bar, "value"), (box, "value"))
        return ipywidgets.HBox([box, bar]), bar
    if control.kind == "choice":
        widget = ipywidgets.Dropdown(options=list(control.choices.items()), value=value, description=label, style=LABEL)
    elif control.kind == "toggle":
        widget = ipywidgets.Checkbox(value=value, description=label, indent=False)
    else:
        widget = ipywidgets.Text(value=value, description=label, style=LABEL, continuous_update=False)
    return widget, widget


class _Old:
    def __init__(self, explorer: Explorer):
        self.explorer = explorer
        parts = {name: _holder(control, explorer.values[name]) for name, control in explorer.controls.items()}
        self.holders = {name: holder for name, (_, holder) in parts.items()}
        self.output, self.status = ipywidgets.Output(), ipywidgets.HTML()
        self.output.add_class("course-old-stage")
        bar = ipywidgets.Box(
            [shown for shown, _ in parts.values()], layout={"display": "flex", "flex_flow": "row wrap"}
        )
        self.widget = ipywidgets.VBox([bar, ipywidgets.HTML(STYLE), self.output, self.status])
        self.widget.add_class("course-old")
        data = self.bundle()
        self.output.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        for holder in self.holders.values():
            holder.observe(lambda change: self.redraw(), names="value")

    def bundle(self):
        values = {name: holder.value for name, holder in self.holders.items()}
        for name, control in self.explorer.controls.items():
            if control.kind == "text":
                values[name] = first_words(values[name])[0]
        try:
            figure: Any = self.explorer.draw(**values)
        except Exception as error:
            return {"text/html": f"<p><b>{html.escape(str(error))}</b></p>", "text/plain": str(error)}
        self.output.layout.min_height = f"{figure.layout.height or 450}px"
        self.status.value = f'<p role="status">{html.escape(words(figure).get("summary", ""))}</p>'
        shown = {**surface.as_json(figure), "config": CONFIG}
        return {surface.PLOTLY_MIME: shown, "text/plain": surface.summary(figure)}

    def redraw(self) -> None:
        data = self.bundle()
        with self.output:
            self.output.clear_output(wait=True)
            display(data, raw=True)
