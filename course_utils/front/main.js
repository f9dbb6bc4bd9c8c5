// Where everything begins: a widget's view, or a page without a kernel.
import figure, { plotlyFrom as takeFrom } from "./figure.js";
import question from "./question.js";
import { start as startPage } from "./page.js";

export const MODULES = { explorer: figure, questions: question }; // by the kind that a model says it is
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

export function render({ model, el }) {
  el.classList.add("course-front");
  el.setAttribute("data-lm-suppress-shortcuts", "true"); // arrows move a slider, not the selection among JupyterLab's cells
  el.addEventListener("keydown", (event) => event.stopPropagation()); // nor among those of Notebook 6
  const close = MODULES[model.get("kind")].render({ model, el });
  const restore = model.get("stands") ? standFor(el) : () => {};
  model.send({ kind: "shown" });
  return () => {
    restore();
    close?.();
  };
}

export const start = () => startPage(MODULES);
