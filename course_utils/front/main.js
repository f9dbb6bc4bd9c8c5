// Where everything begins: a widget's view, or a page without a kernel.
import figure, { plotlyFrom as takeFrom } from "./figure.js";
import machine from "./machine.js";
import question from "./question.js";
import { start as startPage } from "./page.js";

export const MODULES = { explorer: figure, machine, questions: question }; // by the kind that a model says it is
export const plotlyFrom = takeFrom;

// While a view lives, the static output that follows it in the same cell is hidden; it comes back when the view goes.
function standFor(el) {
  let hidden = null, timer = null;
  const look = (tries) => {
    const output = el.closest(".jp-OutputArea-child, .output_area");
    hidden = output?.nextElementSibling ?? null;
    if (hidden) hidden.style.display = "none";
    else if (tries) timer = setTimeout(look, 50, tries - 1); // it is on its way
  };
  look(200);
  return () => {
    clearTimeout(timer);
    if (hidden) hidden.style.display = "";
  };
}

const VIEW = "application/vnd.jupyter.widget-view+json";

// A notebook that is saved keeps no view, which nothing could show without its kernel, but the static output alone.
function saveWithout(notebook) {
  if (!notebook?.toJSON || notebook.courseSaves || !Object.isExtensible(notebook)) return;
  notebook.courseSaves = notebook.toJSON.bind(notebook);
  // Other widgets bring a text along; an empty one is what a training has left of its curve.
  const isView = ({ data }) => data && Object.entries(data).every(([type, content]) => type === VIEW || content === "");
  notebook.toJSON = () => {
    const content = notebook.courseSaves();
    for (const cell of content.cells) if (cell.outputs) cell.outputs = cell.outputs.filter((output) => !isView(output));
    return content;
  };
}

export function render({ model, el }) {
  el.classList.add("course-front");
  // Arrows move a slider, not the selection among Jupyter's cells: its shortcuts ask the focused element itself first.
  el.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.addEventListener("keydown", (event) => event.stopPropagation()); // nor among those of Notebook 6
  const close = MODULES[model.get("kind")].render({ model, el });
  const restore = model.get("stands") ? standFor(el) : () => {};
  saveWithout(model.widget_manager?.context?.model); // of JupyterLab and Notebook 7
  model.send({ kind: "shown" });
  return () => {
    restore();
    close?.();
  };
}

export const start = () => startPage(MODULES);
