// A Plotly figure that follows its data, with controls, presets and things to drag.
//
// A figure whose layout says `meta.written` is a text: it is written out, and nothing is plotted. In place of a figure a
// machine may be drawn, which stays at its step while its sentence changes.
// about: { controls, presets, click }   state: { figure, machine, summary, failed, values, preset, handles, turn }
// What a person does goes out as one message, { kind, turn, … }; the state that answers it names the same turn.
import { make } from "./dom.js";
import { mount } from "./machine.js";

const CONFIG = { displayModeBar: false, responsive: true };
const PATIENCE = 5000; // milliseconds for an answer
const NO_ANSWER = "The kernel is busy or has ended. The figure follows when it answers; if it does not, run the cell again.";
const ABOVE = 30; // pixels that are kept over the axes when the title has become text of the page

let library = async () => globalThis.Plotly; // a page has it from a script

export function plotlyFrom(load) {
  let loaded;
  library = () => (loaded ??= load());
}

// ------------------------------------------------------------------------------------------- drawing

const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

// The layout without its title, which stands above it as text that wraps, and the height left.
function withoutTitle(layout) {
  const { title, ...rest } = layout, top = layout.margin?.t ?? 100, height = layout.height ?? 450; // Plotly's own
  if (!layout.meta?.title) return { ...layout, height };
  return { ...rest, height: height - Math.max(0, top - ABOVE), margin: { ...layout.margin, t: Math.min(top, ABOVE) } };
}

const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !ArrayBuffer.isView(value) && !value.bdata;

// What differs from `before` to `after` by its path, such as "xaxis.range" or "shapes[0].x0"; null where a part is gone.
function changes(before, after, path = "", found = {}) {
  for (const name of Object.keys(before)) if (!(name in after)) return null;
  for (const [name, value] of Object.entries(after)) {
    const was = before[name], here = Array.isArray(after) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    if (same(was, value)) continue;
    const parts = Array.isArray(value) && value.every(isPlain) && Array.isArray(was) && was.length === value.length;
    if (parts || (isPlain(value) && isPlain(was))) {
      if (!changes(was, value, here, found)) return null;
    } else found[here] = value;
  }
  return found;
}

// What Plotly moves without drawing all else again: points and words of these traces, axes, lines and words on the plot.
const MOVABLE = new Set(["scatter", "bar"]);
const DATA = new Set(["x", "y", "text", "textposition", "customdata", "hovertext", "marker.size", "marker.color", "marker.opacity", "line.width"]);
const RANGE = /^[xy]axis\d*\.range(\[\d\])?$/;
const ON_TOP = /^(shapes|annotations)\[\d+\]\./;

// Whether an axis of a trace is where it is whatever the trace's numbers are.
const isFixed = (layout, trace, letter) => Boolean(layout[(trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)]?.range);

// The cheap way from one figure to another, { traces, frame, top }, or null where it needs a whole drawing.
function move(before, after) {
  if (before.data.length !== after.data.length || !after.data.every(({ type }) => MOVABLE.has(type))) return null;
  const data = after.data.map((trace, i) => changes(before.data[i], trace)), layout = changes(before.layout, after.layout);
  const fine = (changed, i) => changed && Object.keys(changed).every((name) => DATA.has(name)) &&
    ["x", "y"].every((letter) => !(letter in changed) || isFixed(after.layout, after.data[i], letter));
  if (!layout || !data.every(fine)) return null;
  const paths = Object.keys(layout).filter((path) => !path.startsWith("meta."));
  if (!paths.every((path) => RANGE.test(path) || ON_TOP.test(path))) return null;
  const axes = new Set(paths.filter((path) => RANGE.test(path)).map((path) => path.split(".")[0]));
  const traces = data.map((changed, i) => (Object.keys(changed).length ? i : -1)).filter((i) => i >= 0);
  return {
    traces, moves: traces.length || axes.size,
    frame: { data: traces.map((i) => data[i]), traces, layout: Object.fromEntries([...axes].map((axis) => [axis, { range: after.layout[axis].range }])) },
    top: Object.fromEntries(paths.filter((path) => ON_TOP.test(path)).map((path) => [path, layout[path]])),
  };
}

const AT_ONCE = { transition: { duration: 0 }, frame: { duration: 0, redraw: false }, mode: "immediate" };

export async function draw(plot, figure) {
  const Plotly = await library();
  const shown = { data: figure.data, layout: withoutTitle(figure.layout) }, before = plot.courseShown;
  const cheap = before && !globalThis.courseReact ? move(before, shown) : null;
  plot.courseShown = shown;
  if (!cheap) return Plotly.react(plot, structuredClone(shown.data), structuredClone(shown.layout), CONFIG);
  plot.layout.meta = shown.layout.meta; // words are for whoever reads them, nothing is drawn of them
  if (cheap.moves) await Plotly.animate(plot, structuredClone(cheap.frame), AT_ONCE);
  if (Object.keys(cheap.top).length) await Plotly.relayout(plot, cheap.top);
  return plot;
}

// ------------------------------------------------------------------------------------------- controls

const rounded = (value) => String(Number(Number(value).toPrecision(10)));

// Each makes the elements of a control and gives `get()` and `set(value)`.
const CONTROLS = {
  slider({ label, low, high, step, name }, moved) {
    const bounds = { min: low, max: high, step, "data-control": name };
    const box = make("input", { type: "number", ...bounds, step: "any", oninput: () => box.value !== "" && follow(box, bar) });
    const bar = make("input", { type: "range", ...bounds, "aria-label": `${label}, slider`, oninput: () => follow(bar, box) });
    const follow = (from, to) => {
      to.value = from === bar ? rounded(from.value) : from.value;
      moved(name);
    };
    box.addEventListener("change", () => { box.value = rounded(bar.value); });
    box.style.width = `${Math.max(...[low, high, step].map((number) => rounded(number).length)) + 4.5}ch`;
    return {
      element: make("span", { class: "course-control" }, make("label", {}, label, " ", box), bar),
      get: () => Number(bar.value),
      set: (value) => { bar.value = value; if (document.activeElement !== box) box.value = rounded(value); },
    };
  },
  steps({ label, choices, name }, moved) {
    const told = make("output", { "aria-live": "off" });
    const bar = make("input", { type: "range", min: 0, max: choices.length - 1, autocomplete: "off", "data-control": name,
      oninput: () => { show(); moved(name); } });
    const show = () => {
      told.textContent = choices[bar.value];
      bar.setAttribute("aria-valuetext", choices[bar.value]);
    };
    return {
      element: make("label", { class: "course-control" }, label, " ", bar, " ", told),
      get: () => Number(bar.value),
      set: (value) => { bar.value = value; show(); },
    };
  },
  choice({ label, choices, name }, moved) {
    const list = make("select", { "data-control": name, onchange: () => moved(name) },
      ...choices.map((choice, i) => make("option", { value: i }, choice)));
    return {
      element: make("label", { class: "course-control" }, label, " ", list),
      get: () => list.selectedIndex, set: (value) => { list.selectedIndex = value; },
    };
  },
  toggle({ label, name }, moved) {
    const box = make("input", { type: "checkbox", "data-control": name, onchange: () => moved(name) });
    return {
      element: make("label", { class: "course-control" }, box, " ", label),
      get: () => box.checked, set: (value) => { box.checked = value; },
    };
  },
  text({ label, name, width }, moved) {
    const line = make("input", { type: "text", "data-control": name, autocomplete: "off", spellcheck: "false",
      onchange: () => moved(name) });
    return {
      element: make("label", { class: "course-control course-line", style: `width:${width}` }, label, " ", line),
      get: () => line.value, set: (value) => { if (document.activeElement !== line) line.value = value; },
    };
  },
};

// ------------------------------------------------------------------------------------------- things to drag

// A button over the figure for each handle, { x, y, label, xaxis, yaxis, by }: it is dragged, and the arrow keys move it.
function handles(stage, plot, told, moved) {
  stage.querySelectorAll(".course-handle").forEach((old, i) => { if (i >= told.length) old.remove(); });
  told.forEach((handle, i) => {
    const button = stage.querySelectorAll(".course-handle")[i] ?? stage.appendChild(handleButton(plot, i, moved));
    const [xaxis, yaxis] = [plot._fullLayout[handle.xaxis], plot._fullLayout[handle.yaxis]];
    if (button.courseHandle?.x !== handle.x || button.courseHandle?.y !== handle.y) button.courseFrom = null;
    Object.assign(button, { courseHandle: handle, courseAxes: [xaxis, yaxis] });
    button.setAttribute("aria-label", `${handle.label}. Drag it, or move it with the arrow keys.`);
    button.classList.toggle("course-line-x", handle.y === null);
    button.classList.toggle("course-line-y", handle.x === null);
    const left = handle.x === null ? 0 : xaxis.d2p(handle.x), top = handle.y === null ? 0 : yaxis.d2p(handle.y);
    Object.assign(button.style, {
      left: `${xaxis._offset + left}px`, top: `${yaxis._offset + top}px`,
      width: handle.x === null ? `${xaxis._length}px` : "", height: handle.y === null ? `${yaxis._length}px` : "",
    });
  });
}

function handleButton(plot, number, moved) {
  const to = (x, y) => { // pixels within the axes, kept inside of them
    const [xaxis, yaxis] = button.courseAxes, handle = button.courseHandle;
    const inside = (place, axis) => Math.min(Math.max(place, 0), axis._length);
    moved({
      handle: number,
      x: handle.x === null ? null : Number(xaxis.p2d(inside(x, xaxis))),
      y: handle.y === null ? null : Number(yaxis.p2d(inside(y, yaxis))),
    });
  };
  const button = make("button", {
    type: "button", class: "course-handle",
    onpointerdown: (event) => { button.setPointerCapture(event.pointerId); button.focus(); event.preventDefault(); },
    onpointermove: (event) => {
      if (!button.hasPointerCapture(event.pointerId)) return;
      const box = plot.getBoundingClientRect(), [xaxis, yaxis] = button.courseAxes;
      to(event.clientX - box.left - xaxis._offset, event.clientY - box.top - yaxis._offset);
    },
    onkeydown: (event) => {
      const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
      if (!right && !down) return;
      event.preventDefault();
      const [xaxis, yaxis] = button.courseAxes, { x, y, by } = button.courseHandle;
      const far = (axis) => (by ? Math.abs(axis.d2p(by) - axis.d2p(0)) * (event.shiftKey ? 5 : 1) : axis._length / (event.shiftKey ? 10 : 50));
      // From where the last key meant it to be: a control in steps may have kept it where it was.
      const [left, top] = button.courseFrom ?? [x === null ? 0 : xaxis.d2p(x), y === null ? 0 : yaxis.d2p(y)];
      button.courseFrom = [left + right * far(xaxis), top + down * far(yaxis)];
      to(...button.courseFrom);
    },
  });
  return button;
}

// ------------------------------------------------------------------------------------------- the explorer

export default {
  render({ model, el }) {
    const { controls = [], presets = [], click = false, note = "" } = model.get("about");
    const mine = Math.random().toString(36).slice(2);
    let turn = 0, awaited = null, next = null, patience = null, drawn = Promise.resolve();

    // One message is on its way at a time; of what a person does meanwhile the last counts.
    const send = (message) => {
      if (awaited) { next = message; return; }
      awaited = `${mine} ${(turn += 1)}`;
      clearTimeout(patience);
      patience = setTimeout(() => { status.textContent = NO_ANSWER; awaited = null; }, PATIENCE);
      model.send({ ...message, turn: awaited });
    };
    const moved = (name) => send({ kind: "move", changed: name, values: Object.fromEntries(made.map(({ name, part }) => [name, part.get()])) });
    const made = controls.map((control) => ({ name: control.name, part: CONTROLS[control.kind](control, moved) }));
    const buttons = presets.map((name) => make("button", { type: "button", class: "course-preset", onclick: () => send({ kind: "preset", name }) }, name));

    const title = make("div", { class: "course-title", "aria-hidden": "true" }), caption = make("div", { class: "course-caption" });
    const plot = make("div", { class: "course-plot", role: "img" }), status = make("p", { role: "status", class: "course-summary" });
    const stage = make("div", { class: "course-stage" }, plot), text = make("pre", { class: "course-written", tabindex: "0" });
    const drawing = make("div", { class: "course-drawing" });
    let machine = null, at = { step: 0, variant: 0 };
    el.append(make("div", { class: `course-figure${controls.length ? " course-explorer" : ""}` },
      ...(buttons.length ? [make("div", { class: "course-presets", role: "group", "aria-label": "Presets" }, ...buttons)] : []),
      ...(made.length ? [make("div", { class: "course-controls" }, ...made.map(({ part }) => part.element))] : []),
      ...(note ? [make("p", { class: "course-note" }, note)] : []),
      title, caption, stage, text, drawing, status));

    const place = () => handles(stage, plot, model.get("state").handles ?? [], (handle) => send({ kind: "drag", ...handle }));
    const tell = (state) => {
      const { figure, failed = false } = state, words = figure?.layout.meta ?? {};
      if (!awaited) made.forEach(({ name, part }) => part.set(state.values[name])); // else a later move is on its way
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(presets[i] === state.preset)));
      title.textContent = words.title ?? "";
      caption.textContent = words.caption ?? "";
      plot.setAttribute("aria-label", words.title || "A figure");
      text.textContent = words.written ?? "";
      text.hidden = !words.written;
      stage.hidden = !figure || !text.hidden;
      status.classList.toggle("course-failed", failed);
    };
    const drawMachine = (spec) => {
      if (same(machine?.spec, spec)) return;
      machine?.drawn.remove();
      machine = null;
      if (!spec) return;
      const variant = Math.min(at.variant, spec.variants.length - 1), step = Math.min(at.step, spec.variants[variant].steps.length - 1);
      machine = { spec, drawn: mount(drawing, spec, { step, variant, onMove: (step, variant) => { at = { step, variant }; } }) };
    };
    const show = async (state) => {
      const { figure, summary } = state;
      tell(state);
      try {
        drawMachine(state.machine);
        if (!stage.hidden) {
          await draw(plot, figure);
          place();
          if (!plot.courseHeard) {
            plot.courseHeard = true;
            plot.on("plotly_afterplot", place); // a narrower page has its axes elsewhere
            if (click) plot.on("plotly_click", ({ points: [{ x, y }] }) => send({ kind: "click", x, y }));
          }
        } else if (plot.courseShown) {
          (await library()).purge(plot);
          plot.classList.remove("js-plotly-plot");
          delete plot.courseShown;
          delete plot.courseHeard;
        }
        status.textContent = state.machine ? "" : summary; // a machine says its steps
      } catch (error) { // never an old figure beside a new setting
        stage.hidden = true;
        status.textContent = `This browser cannot draw the figure (${error.message}). ${summary}`;
        console.error(error);
      }
    };
    const follow = () => {
      const state = model.get("state");
      if (state.turn === awaited || !awaited) {
        clearTimeout(patience);
        awaited = null;
        if (next) { const message = next; next = null; send(message); }
      }
      drawn = drawn.then(() => show(model.get("state")));
    };
    model.on("change:state", follow);
    tell(model.get("state"));
    if (!model.get("state").machine) status.textContent = model.get("state").summary;
    const near = model.get("near"); // on a page, when somebody comes near; the controls are there from the start
    drawn = near ? near.then(() => show(model.get("state"))) : show(model.get("state"));
    return () => {
      model.off("change:state", follow);
      clearTimeout(patience);
      machine?.drawn.remove();
      library().then((Plotly) => Plotly?.purge(plot));
    };
  },
};
