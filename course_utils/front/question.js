// Questions: asking, filling and showing, for every kind. Who judges is elsewhere: the kernel, or `grading.js` on a page.
//
// about: { phrases }   state: { asked, said, score }; asked: questions in their order; said: by id { lines, correct, answer };
// score: null, or { right, count, answered, objectives, again, all }. All texts but those of lists and code are HTML.
// trained: of a bug hunt by id { busy, …what a figure shows }; `asked` says with `trains` whether it can be trained here.
import { make, phrase, escaped } from "./dom.js";
import figure from "./figure.js";
import { plainModel } from "./plain.js";

const options = ({ id, options }, type) => options.map((option, i) => make("label", { class: "course-option" },
  make("input", { type, name: id, value: i }), make("span", { html: option })));

const chosen = (form) => [...form.querySelectorAll("input:checked")].map((box) => Number(box.value));

function line(label, after = []) {
  const input = make("input", { type: "text", autocomplete: "off", spellcheck: "false", size: 24 });
  return [make("label", {}, label, " ", input, ...after)];
}

function row(about, item) {
  const text = make("span", { html: about.items[item] }), said = text.textContent;
  const move = (by, sign, words) => make("button", {
    type: "button", "data-move": by, "aria-label": phrase(words, { item: said }),
    onclick: ({ currentTarget: button }) => {
      const row = button.closest("li"), other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (other) (by < 0 ? other.before(row) : other.after(row));
      button.focus();
      const rows = [...row.parentElement.children], told = row.closest("form").querySelector(".course-moved");
      told.textContent = phrase("NOW_AT_PLACE", { place: rows.indexOf(row) + 1, count: rows.length });
    },
  }, sign);
  return make("li", { "data-item": item }, move(-1, "↑", "MOVE_UP"), move(1, "↓", "MOVE_DOWN"), " ", text);
}

// A line of code with its number; one that holds no code cannot be chosen.
function codeLine({ id }, { text, named }, number) {
  const words = [make("span", { class: "course-number" }, number), make("code", {}, text)];
  return named ? make("label", {}, make("input", { type: "radio", name: `${id} line`, value: number }), ...words)
    : make("div", {}, ...words);
}

// The controls of a kind, what is in them (as `grading.entered` takes it), and how an answer is put into them.
const KINDS = {
  single: {
    controls: (about) => options(about, "radio"),
    read: (form) => chosen(form)[0] ?? null,
    fill: (form, answer) => { form.querySelector(`input[value="${answer}"]`).checked = true; },
  },
  multiple: {
    controls: (about) => [make("p", {}, make("em", {}, phrase("ONE_OR_MORE"))), ...options(about, "checkbox")],
    read: chosen,
    fill: (form, answer) => form.querySelectorAll("input").forEach((box) => { box.checked = answer.includes(Number(box.value)); }),
  },
  numeric: {
    controls: ({ unit }) => line(phrase("YOUR_NUMBER"), unit ? [" ", make("span", { html: unit })] : []),
    read: (form) => form.querySelector("input").value,
    fill: (form, answer) => { form.querySelector("input").value = Number(Number(answer).toPrecision(12)); },
  },
  shape: {
    controls: () => line(phrase("THE_SHAPE"), [" ", make("small", {}, phrase("SHAPE_EXAMPLE"))]),
    read: (form) => form.querySelector("input").value,
    fill: (form, answer) => { form.querySelector("input").value = `(${answer.join(", ")})`; },
  },
  order: {
    controls: (about) => [make("p", {}, make("em", {}, phrase("MOVE_THE_ROWS"))),
      make("ol", {}, ...about.shuffled.map((item) => row(about, item))), make("p", { class: "course-moved", role: "status" })],
    read: (form) => [...form.querySelectorAll("li")].map((row) => Number(row.dataset.item)),
    fill: (form, answer) => answer.forEach((item) => {
      form.querySelector("ol").append(form.querySelector(`li[data-item="${item}"]`));
    }),
  },
  match: {
    controls: ({ lefts, rights, shuffled }) => lefts.map((left, i) => make("p", {}, make("label", {},
      make("span", { html: left }), " ", make("select", { name: i }, make("option", { value: "" }, phrase("CHOOSE")),
        ...shuffled.map((right) => make("option", { value: right }, rights[right])))))),
    read: (form) => [...form.querySelectorAll("select")].map((list) => (list.value === "" ? null : Number(list.value))),
    fill: (form, answer) => form.querySelectorAll("select").forEach((list, i) => { list.value = answer[i]; }),
  },
  hunt: {
    controls: (about) => [
      make("fieldset", { class: "course-code" }, make("legend", {}, phrase("WHICH_LINE")), ...about.code.map((line, i) => codeLine(about, line, i + 1))),
      make("fieldset", {}, make("legend", { html: about.symptom }), ...options(about, "radio")),
      ...(about.trains ? [] : [make("p", { class: "course-note" }, phrase("TRAINS_IN_A_NOTEBOOK"))])],
    read: (form) => [".course-code", ".course-option"].map((part) => {
      const box = form.querySelector(`${part} input:checked`);
      return box ? Number(box.value) : null;
    }),
    fill: (form, [line, symptom]) => {
      form.querySelector(`.course-code input[value="${line}"]`).checked = true;
      form.querySelector(`.course-option input[value="${symptom}"]`).checked = true;
    },
  },
};
KINDS.predict = KINDS.single;

export function say(element, { correct, lines }) {
  const mark = correct === null ? "→" : correct ? "✓" : "✗";
  element.className = `course-said ${correct === null ? "note" : correct ? "right" : "wrong"}`;
  element.innerHTML = `<b>${mark}</b> ${lines.join("<br>")}`;
}

function card(about, send) {
  const { read, controls } = KINDS[about.kind], predicts = about.kind === "predict";
  const again = make("button", { type: "button", onclick: () => send({ kind: "another", id: about.id }) }, phrase("NEW_NUMBERS"));
  return make("form", {
    class: `course-question ${about.id}`, "data-item": about.id,
    onsubmit: (event) => {
      event.preventDefault();
      send({ kind: "answer", id: about.id, form: read(event.currentTarget) });
    },
  }, make("fieldset", {}, make("legend", {}, about.heading), make("div", { html: about.prompt }),
    make("div", { class: "course-answer" }, ...controls(about)),
    make("button", { type: "submit" }, phrase(predicts ? "KEEP" : "CHECK")), ...(about.varied ? [" ", again] : [])),
  make("div", { class: "course-said", role: "status" }));
}

// The button that trains a hunt, once it is answered, and the figure of what came of it. Returns what shows a state.
function training(form, id, send) {
  const button = make("button", { type: "button", onclick: train }, phrase("TRAIN_BOTH"));
  const place = make("div", { class: "course-trained", hidden: true }, button);
  let model = null, busy = false;
  function train() {
    if (busy) return;
    busy = true; // until the kernel says so, or that it is done
    button.setAttribute("aria-disabled", "true");
    send({ kind: "train", id });
  }
  form.append(place);
  return (answered, trained) => {
    busy = Boolean(trained?.busy); // said to be, not made unusable: it keeps the focus
    place.hidden = !answered && !trained;
    button.setAttribute("aria-disabled", String(busy));
    if (!trained) return;
    if (model) model.set("state", trained);
    else figure.render({ model: (model = plainModel({ about: {}, state: trained })), el: place });
  };
}

function showScore(board, { right, count, answered, objectives, again, all }) {
  const rows = objectives.map(([text, right, count]) =>
    `<tr><th scope="row">${text}</th><td>${phrase("OF", { right, count })}</td></tr>`);
  board.innerHTML = `<p><b>${phrase("SCORE", { right, count })}</b>, ${phrase("ANSWERED", { answered })}</p>` +
    `<table><caption>${phrase("BY_OBJECTIVE")}</caption><tbody>${rows.join("")}</tbody></table>` +
    (again.length ? `<p>${phrase("REREAD", { sections: again.map(escaped).join(", ") })}</p>` : "") +
    (all ? `<p>${phrase("EVERY_ONE_RIGHT")}</p>` : "");
}

export default {
  render({ model, el }) {
    globalThis.coursePhrases = model.get("about").phrases ?? globalThis.coursePhrases;
    const cards = new Map(), list = make("div", { class: "course-questions" });
    const board = make("div", { class: "course-score", role: "status" });
    const show = () => {
      const { asked, said, score, trained = {} } = model.get("state");
      for (const about of asked) {
        const id = about.id, now = { asked: JSON.stringify(about), said: JSON.stringify(said[id]) };
        let shown = cards.get(id);
        if (shown?.asked !== now.asked) { // not yet there, or with other numbers
          const form = card(about, (message) => model.send(message));
          if (shown) shown.form.replaceWith(form); else list.append(form);
          shown = { form };
          if (said[id] && "answer" in said[id]) KINDS[about.kind].fill(form, said[id].answer);
          if (about.trains) shown.trains = training(form, id, (message) => model.send(message));
        }
        if (said[id] && shown.said !== now.said) say(shown.form.querySelector(":scope > .course-said"), said[id]);
        shown.trains?.(said[id] && "answer" in said[id], trained[id]);
        cards.set(id, { ...shown, ...now });
      }
      if (!score) return;
      if (!board.isConnected) el.append(board);
      showScore(board, score);
    };
    model.on("change:state", show);
    el.append(list);
    show();
    return () => model.off("change:state", show);
  },
};
