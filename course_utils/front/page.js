// A page without a kernel: models that are plain objects, answers kept in this browser.
import { phrase, escaped } from "./dom.js";
import { plainModel } from "./plain.js";
import { say } from "./question.js";
import { Incomplete, entered, grade, fits } from "./grading.js";

const KEY = "recurrence-to-attention:";
const memory = new Map(); // where a window may keep nothing, until it is closed
const kept = {
  get(id) {
    try { return JSON.parse(localStorage.getItem(KEY + id) ?? "null"); } catch { return memory.get(id) ?? null; }
  },
  set(id, value) {
    try { localStorage.setItem(KEY + id, JSON.stringify(value)); } catch { memory.set(id, value); }
  },
};

// ------------------------------------------------------------------------------------------- explorers

// The frames of one control show the others as they stood.
function framesModel({ figure, controls, presets, note, near }) {
  const start = Object.fromEntries(controls.map(({ now }, i) => [`c${i}`, now]));
  const shown = (frame, values, preset = null) => ({ figure: frame.machine ? null : frame, machine: frame.machine, summary: frame.summary, values, preset });
  const about = {
    controls: controls.map(({ label, frames }, i) => ({ kind: "steps", name: `c${i}`, label, choices: frames.map(({ choice }) => choice) })),
    presets: presets.map(({ name }) => name), note,
  };
  return plainModel({ about, near, state: shown(figure, start, presets[0]?.name) }, ({ kind, changed, values, name, turn }, model) => {
    const frame = kind === "preset" ? presets.find((preset) => preset.name === name) : controls[Number(changed.slice(1))].frames[values[changed]];
    const stand = kind === "preset" ? start : { ...start, [changed]: values[changed] };
    model.set("state", { ...shown(frame, stand, kind === "preset" ? name : null), turn });
  });
}

// ------------------------------------------------------------------------------------------- questions

const predictions = new Map(); // what was predicted, by id: { key, answer() }

function keptAnswer({ id, kind }, key) {
  const found = kept.get(id) ?? undefined;
  return fits(kind, key, found) ? found.answer : null;
}

function questionsModel({ asked, keys, objectives }) {
  const judged = (question, answer, before = []) => {
    const [correct, lines] = grade(question.kind, keys[question.id], answer);
    return { correct, lines: [...before, ...lines], answer };
  };
  const score = () => {
    const given = new Map(asked.map((question) => [question, keptAnswer(question, keys[question.id])]).filter(([, answer]) => answer !== null));
    const isRight = (question) => given.has(question) && judged(question, given.get(question)).correct;
    const count = (questions) => questions.filter(isRight).length;
    const rows = Object.entries(objectives).map(([name, text]) => [text, asked.filter(({ objective }) => objective === name)]);
    const wrong = [...given.keys()].filter((question) => !isRight(question)).map(({ section }) => section);
    return {
      right: count(asked), count: asked.length, answered: given.size, again: [...new Set(wrong)], all: count(asked) === asked.length,
      objectives: rows.filter(([, questions]) => questions.length).map(([text, questions]) => [text, count(questions), questions.length]),
    };
  };
  const said = {};
  for (const question of asked) {
    const answer = keptAnswer(question, keys[question.id]);
    const before = question.kind === "predict" ? [] : [phrase("EARLIER_ANSWER")];
    if (answer !== null) said[question.id] = judged(question, answer, before);
    if (question.kind === "predict")
      predictions.set(question.id, { key: keys[question.id], answer: () => keptAnswer(question, keys[question.id]) });
  }
  const state = () => ({ asked, said: { ...said }, score: objectives ? score() : null });
  return plainModel({ about: {}, state: state() }, ({ id, form }, model) => {
    const question = asked.find((other) => other.id === id);
    try {
      const answer = entered(question.kind, form);
      said[id] = judged(question, answer);
      kept.set(id, { answer, right: said[id].correct, at: new Date().toISOString() });
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      said[id] = { correct: null, lines: [escaped(error.message)] };
    }
    model.set("state", state());
    document.dispatchEvent(new CustomEvent("course-answered", { detail: id }));
  });
}

// What was found opens when its prediction is kept, and says whether that holds.
function reveal(found) {
  const { item, holds } = found.dataset, told = found.querySelector(".course-said");
  const show = () => {
    const answer = predictions.get(item)?.answer() ?? null;
    if (answer === null) return;
    const { text, why } = predictions.get(item).key.options[answer], correct = String(answer) === holds;
    found.open = true; // first, or nobody hears what is said in it
    say(told, { correct, lines: [phrase(correct ? "PREDICTED" : "PREDICTED_WRONGLY", { option: text, why })] });
  };
  document.addEventListener("course-answered", ({ detail }) => { if (detail === item) show(); });
  show();
}

// ------------------------------------------------------------------------------------------- the page

const MODELS = { explorer: framesModel, questions: questionsModel };

// Fill a place with its module; what is drawn waits for `near`.
function mount(place, modules, near) {
  const told = { ...JSON.parse(place.querySelector(":scope > script").textContent), near }, kind = place.dataset.kind;
  place.replaceChildren();
  const model = MODELS[kind] ? MODELS[kind](told) : plainModel(told);
  modules[kind].render({ model, el: place });
  place.querySelectorAll("form").forEach((form) => { form.id = form.dataset.item; });
}

export function start(modules) {
  const comeNear = new Map(); // by place, what to call when somebody does
  const watch = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
    if (isIntersecting) { watch.unobserve(target); comeNear.get(target)(); }
  }), { rootMargin: "600px" });
  for (const place of document.querySelectorAll(".course-front")) {
    mount(place, modules, new Promise((resolve) => comeNear.set(place, resolve)));
    watch.observe(place);
  }
  document.querySelectorAll(".course-reveal").forEach(reveal);

  // What the theme leaves open: levels of its captions, names of its sides, a link outside of them.
  document.querySelectorAll("[role=heading]:not([aria-level])").forEach((caption) => caption.setAttribute("aria-level", "2"));
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
  document.querySelectorAll(".back-to-top").forEach((link) => document.querySelector("footer")?.append(link));
  document.querySelectorAll("pre, math[display=block]").forEach((code) => { // wide ones scroll: from the keyboard too
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  });
  const folded = [...document.querySelectorAll(".course-reveal")];
  window.addEventListener("beforeprint", () => {
    comeNear.forEach((come) => come());
    folded.forEach((found) => { found.dataset.was = found.open; found.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((found) => { found.open = found.dataset.was === "true"; }));
}
