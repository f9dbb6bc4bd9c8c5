// Figures that move, questions that answer, in a page without a kernel. Answers stay in this browser.
"use strict";

const told = (element) => JSON.parse(element.querySelector(":scope > script[type='application/json']").textContent);
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
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// ------------------------------------------------------------------------------------------- figures

const CONFIG = { displayModeBar: false, responsive: true };

function draw(figure) {
  const plot = figure.querySelector(".course-plot");
  if (plot.dataset.drawn) return;
  plot.dataset.drawn = "yes";
  const { figure: start, controls } = told(figure);
  const caption = figure.querySelector("figcaption");
  const show = (frame) => {
    caption.textContent = frame.summary;
    return Plotly.react(plot, frame.data, frame.layout, CONFIG);
  };
  show(start);
  const sliders = [...figure.querySelectorAll("input[type=range]")];
  const choose = (i, place) => {
    const frame = controls[i].frames[place];
    sliders[i].value = place;
    sliders[i].setAttribute("aria-valuetext", frame.choice);
    sliders[i].parentElement.querySelector("output").textContent = frame.choice;
    return frame;
  };
  sliders.forEach((slider, i) => {
    choose(i, controls[i].now);
    slider.addEventListener("input", () => {
      const place = slider.value;
      sliders.forEach((_, j) => choose(j, controls[j].now)); // the frames of one control show the others as they stood
      show(choose(i, place));
    });
  });
}

// ------------------------------------------------------------------------------------------- answers

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const quote = (text) => `“${text}”`;
const same = (a, b) => a.length === b.length && a.every((part, i) => part === b[i]);

// A minus sign is a hyphen, and a keyboard for Chinese or Japanese types digits, brackets and commas in full width.
const plain = (text) => text.replace(/[\uFF01-\uFF5E]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xFEE0))
  .replaceAll("\u3000", " ").replaceAll("\u2212", "-").trim();

class Incomplete extends Error {}

function want(holds, message) {
  if (!holds) throw new Incomplete(message);
}

// What a learner has entered, and how it comes back; indices count as the question bank does.
const read = {
  single: (form) => {
    const chosen = form.querySelector("input:checked");
    want(chosen, "Choose an answer first.");
    return Number(chosen.value);
  },
  multiple: (form) => {
    const chosen = [...form.querySelectorAll("input:checked")].map((box) => Number(box.value));
    want(chosen.length, "Tick at least one answer first.");
    return chosen;
  },
  numeric: (form) => {
    const line = form.querySelector("input").value.trim(), typed = plain(line);
    want(typed, "Type a number first.");
    const shown = `'${line.slice(0, 60)}'`, whole = typed.replaceAll(",", ""), decimal = typed.replaceAll(",", ".");
    if (/^[+-]?(?!0,)\d{1,3}(,\d{3})+$/.test(typed)) { // a comma that may be one of thousands
      want(typed.split(",").length > 2, `A number is wanted, and ${shown} may be either of two: write ${whole}, or ${decimal}.`);
      want(false, `A number is wanted, not ${shown}: write ${whole}.`);
    }
    want(NUMBER.test(decimal) && Number.isFinite(Number(decimal)), `A number is wanted, not ${shown}.`);
    return Number(decimal);
  },
  shape: (form) => {
    const line = form.querySelector("input").value.trim(), typed = plain(line);
    want(typed, "Type a shape first, such as (batch, 64).");
    const apart = typed.replace( // between numbers an x is a sign, elsewhere it is a name
      /(?<![\p{L}\p{N}_])\d+(\s*[xX]\s*\d+)+(?![\p{L}\p{N}_])/gu, (chain) => chain.replace(/[xX]/g, ","));
    const axes = apart.replace(/^[([]+|[)\]]+$/g, "").split(/[,;×*\s]+/).filter(Boolean);
    want(axes.length && axes.every((axis) => /^[\p{L}\p{N}_]+$/u.test(axis)),
      `A shape is written as axis after axis, such as (batch, 64), not '${line.slice(0, 60)}'.`);
    const half = axes.find((axis) => /^0\d+$/.test(axis)); // 1,024 would be two axes
    want(!half, `An axis does not begin with 0, as '${half}' does: write thousands without a comma, 1024, not 1,024.`);
    return axes;
  },
  order: (form) => [...form.querySelectorAll("li")].map((row) => Number(row.dataset.item)),
  match: (form) => {
    const lists = [...form.querySelectorAll("select")];
    const empty = lists.filter((list) => list.value === "").length;
    want(!empty, `Choose a partner for each first: ${empty} ${empty === 1 ? "is" : "are"} missing.`);
    return lists.map((list) => Number(list.value));
  },
};
read.predict = read.single;

const fill = {
  single: (form, answer) => { form.querySelector(`input[value="${answer}"]`).checked = true; },
  multiple: (form, answer) => form.querySelectorAll("input").forEach((box) => {
    box.checked = answer.includes(Number(box.value));
  }),
  numeric: (form, answer) => { form.querySelector("input").value = answer; },
  shape: (form, answer) => { form.querySelector("input").value = `(${answer.join(", ")})`; },
  order: (form, answer) => answer.forEach((item) => {
    form.querySelector("ol").append(form.querySelector(`li[data-item="${item}"]`));
  }),
  match: (form, answer) => form.querySelectorAll("select").forEach((list, i) => { list.value = answer[i]; }),
};
fill.predict = fill.single;

// What is said to an answer: [right, lines]. The same rules as in teaching/grading.py.
const grade = {
  single: ({ options }, answer) => [options[answer].correct, [options[answer].why]],
  predict: () => [null, ["Kept. The experiment below will answer."]],
  multiple: ({ options }, answer) => {
    const missed = options.filter((option, i) => option.correct && !answer.includes(i)).length;
    const right = !missed && answer.every((i) => options[i].correct);
    const lines = answer.map((i) => `${options[i].correct ? "✓" : "✗"} ${quote(options[i].text)}: ${options[i].why}`);
    if (missed) lines.push(`${missed} more belong${missed === 1 ? "s" : ""} here.`);
    return [right, [right ? "Exactly these." : "Not quite these.", ...lines]];
  },
  numeric: ({ answer, tolerance, why, otherwise, slips }, given) => {
    if (Math.abs(given - answer) <= tolerance) return [true, [why]];
    const slip = slips.find(({ value }) => Math.abs(given - value) <= tolerance);
    return [false, [slip ? slip.why : otherwise]];
  },
  shape: ({ answer, why, otherwise, slips, words }, given) => {
    const lower = (axes) => axes.map((axis) => axis.toLowerCase());
    if (same(lower(given), lower(answer))) return [true, [why]];
    const slip = slips.find(({ value }) => same(lower(given), lower(value)));
    if (slip) return [false, [slip.why]];
    const unknown = given.filter((axis) => !/^\d+$/.test(axis) && !lower(words).includes(axis.toLowerCase()));
    const note = unknown.length ? ` No axis here is called ${unknown.join(" or ")}.` : "";
    return [false, [otherwise + note]];
  },
  order: ({ items }, answer) => {
    const place = answer.findIndex((item, i) => item !== i);
    if (place < 0) return [true, items.map(({ text, why }, i) => `${i + 1}. ${text}: ${why}`)];
    const before = place ? `The first ${place} stand${place === 1 ? "s" : ""} right. ` : "";
    const { text, why } = items[answer[place]];
    return [false, [`${before}${quote(text)} does not come at place ${place + 1}: ${why}`]];
  },
  match: ({ pairs, rights }, answer) => {
    const wrong = answer.map((right, i) => i).filter((i) => answer[i] !== i);
    if (!wrong.length) return [true, pairs.map(({ left, why }, i) => `${left} → ${rights[i].text}: ${why}`)];
    const lines = wrong.map((i) =>
      `✗ ${pairs[i].left} → ${rights[answer[i]].text}? Of the latter: ${rights[answer[i]].why}`);
    return [false, [`${answer.length - wrong.length} of ${answer.length} pairs are right.`, ...lines]];
  },
};

function say(element, right, lines) {
  const mark = right === null ? "→" : right ? "✓" : "✗";
  element.className = `course-said ${right === null ? "note" : right ? "right" : "wrong"}`;
  element.innerHTML = `<b>${mark}</b> ${lines.join("<br>")}`;
}

// The answer kept to a question, or null: also where the question has changed since, and it fits no more.
function answerTo(about) {
  const { answer = null, right } = kept.get(about.id) ?? {};
  const permutes = (list, count) => Array.isArray(list) && same([...list].sort((a, b) => a - b), [...Array(count).keys()]);
  const fits = {
    single: () => answer in about.options,
    multiple: () => Array.isArray(answer) && answer.every((i) => i in about.options),
    numeric: () => Number.isFinite(answer),
    shape: () => Array.isArray(answer),
    order: () => permutes(answer, about.items.length),
    match: () => Array.isArray(answer) && answer.length === about.pairs.length && answer.every((i) => i in about.rights),
  };
  fits.predict = fits.single;
  return answer !== null && fits[about.kind]() && grade[about.kind](about, answer)[0] === right ? answer : null;
}

function question(form) {
  const about = told(form), said = form.querySelector(".course-said");
  const judge = (answer, before = []) => {
    const [right, lines] = grade[about.kind](about, answer);
    say(said, right, [...before, ...lines]);
  };
  const earlier = answerTo(about);
  if (earlier !== null) {
    fill[about.kind](form, earlier);
    judge(earlier, about.kind === "predict" ? [] : ["Your earlier answer."]);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      const answer = read[about.kind](form);
      kept.set(about.id, { answer, right: grade[about.kind](about, answer)[0], at: new Date().toISOString() });
      judge(answer);
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      say(said, null, [escaped(error.message)]);
      return;
    }
    form.dispatchEvent(new CustomEvent("answered", { bubbles: true, detail: about }));
  });
  form.querySelectorAll("button[data-move]").forEach((button) => button.addEventListener("click", () => {
    const row = button.closest("li"), other = Number(button.dataset.move) < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (other) (Number(button.dataset.move) < 0 ? other.before(row) : other.after(row));
    button.focus();
    const rows = [...form.querySelectorAll("li")];
    form.querySelector(".course-moved").textContent = `Now at place ${rows.indexOf(row) + 1} of ${rows.length}.`;
  }));
}

function score(quiz) {
  const objectives = told(quiz), board = quiz.querySelector(".course-score");
  const asked = [...quiz.querySelectorAll("form")].map(told);
  const show = () => {
    const given = asked.filter((about) => answerTo(about) !== null);
    const isRight = (about) => grade[about.kind](about, answerTo(about))[0];
    const count = (questions) => questions.filter((about) => given.includes(about) && isRight(about)).length;
    const answered = given.length;
    const rows = Object.entries(objectives).map(([name, text]) => {
      const about = asked.filter(({ objective }) => objective === name);
      return about.length ? `<tr><th scope="row">${text}</th><td>${count(about)} of ${about.length}</td></tr>` : "";
    });
    const wrong = given.filter((about) => !isRight(about)).map(({ section }) => escaped(section));
    const again = [...new Set(wrong)];
    board.innerHTML = `<p><b>${count(asked)} of ${asked.length} right</b>, ${answered} answered.</p>` +
      `<table><caption>Right, for each objective</caption><tbody>${rows.join("")}</tbody></table>` +
      (again.length ? `<p>Worth rereading: ${again.join(", ")}.</p>` : "");
  };
  quiz.addEventListener("answered", show);
  show();
}

function reveal(found) {
  const { item, holds } = found.dataset;
  const form = document.getElementById(item), said = found.querySelector(".course-said");
  const show = () => {
    const about = form && told(form), answer = about && answerTo(about);
    if (answer === null) return;
    const chosen = about.options[answer], right = String(answer) === holds;
    found.open = true; // first, or nobody hears what is said in it
    say(said, right, [`You predicted ${quote(chosen.text)}${right ? "." : `: ${chosen.why}`}`]);
  };
  document.addEventListener("answered", ({ detail }) => { if (detail.id === item) show(); });
  show();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("form.course-question").forEach(question);
  document.querySelectorAll(".course-quiz").forEach(score);
  document.querySelectorAll(".course-reveal").forEach(reveal);
  // What the theme leaves open: levels of its captions, names of its sides, a link outside of them.
  document.querySelectorAll("[role=heading]:not([aria-level])").forEach((caption) => caption.setAttribute("aria-level", "2"));
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
  document.querySelectorAll(".back-to-top").forEach((link) => document.querySelector("footer")?.append(link));
  document.querySelectorAll("pre, math[display=block]").forEach((code) => { // wide ones scroll: from the keyboard too
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  });
  const figures = [...document.querySelectorAll(".course-figure")];
  const near = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
    if (isIntersecting) { near.unobserve(target); draw(target); }
  }), { rootMargin: "600px" });
  figures.forEach((figure) => near.observe(figure));
  const folded = [...document.querySelectorAll(".course-reveal")];
  window.addEventListener("beforeprint", () => {
    figures.forEach(draw);
    folded.forEach((found) => { found.dataset.was = found.open; found.open = true; });
  });
  window.addEventListener("afterprint", () => folded.forEach((found) => { found.open = found.dataset.was === "true"; }));
});
