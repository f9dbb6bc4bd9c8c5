// Where there is no kernel: what is in a form made an answer, and the answer judged, as `teaching/grading.py` does it.
import { phrase, escaped } from "./dom.js";

export class Incomplete extends Error {}

const want = (holds, message) => {
  if (!holds) throw new Incomplete(message);
};
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const same = (a, b) => a.length === b.length && a.every((part, i) => part === b[i]);

// A minus sign is a hyphen, and a keyboard for Chinese or Japanese types digits, brackets and commas in full width.
const plain = (text) => text.replace(/[\uFF01-\uFF5E]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xFEE0))
  .replaceAll("\u3000", " ").replaceAll("\u2212", "-").trim();

const quoted = (line) => `'${line.trim().slice(0, 60)}'`;

const READ = {
  single: (form) => { want(form !== null, phrase("CHOOSE_FIRST")); return form; },
  multiple: (form) => { want(form.length, phrase("TICK_FIRST")); return form; },
  numeric: (line) => {
    const typed = plain(line), wanted = phrase("A_NUMBER");
    want(typed, phrase("NUMBER_FIRST"));
    const whole = typed.replaceAll(",", ""), decimal = typed.replaceAll(",", "."), words = { wanted, typed: quoted(line), whole, decimal };
    if (/^[+-]?(?!0,)\d{1,3}(,\d{3})+$/.test(typed)) // a comma that may be one of thousands
      want(false, phrase(typed.split(",").length > 2 ? "THOUSANDS" : "EITHER_OF_TWO", words));
    want(NUMBER.test(decimal) && Number.isFinite(Number(decimal)), phrase("NOT_THIS", words));
    return Number(decimal);
  },
  shape: (line) => {
    const typed = plain(line);
    want(typed, phrase("SHAPE_FIRST"));
    const apart = typed.replace( // between numbers an x is a sign, elsewhere it is a name
      /(?<![\p{L}\p{N}_])\d+(\s*[xX]\s*\d+)+(?![\p{L}\p{N}_])/gu, (chain) => chain.replace(/[xX]/g, ","));
    const axes = apart.replace(/^[([]+|[)\]]+$/g, "").split(/[,;×*\s]+/).filter(Boolean);
    want(axes.length && axes.every((axis) => /^[\p{L}\p{N}_]+$/u.test(axis)), phrase("NO_SHAPE", { typed: quoted(line) }));
    const half = axes.find((axis) => /^0\d+$/.test(axis)); // 1,024 would be two axes
    want(!half, phrase("HALF_A_NUMBER", { axis: half }));
    return axes;
  },
  order: (form) => form,
  match: (form) => {
    const count = form.filter((right) => right === null).length;
    want(!count, phrase(count === 1 ? "PARTNER_FIRST" : "PARTNERS_FIRST", { count }));
    return form;
  },
  hunt: ([line, symptom]) => {
    want(line !== null, phrase("LINE_FIRST"));
    want(symptom !== null, phrase("SYMPTOM_FIRST"));
    return [line, symptom];
  },
};
READ.predict = READ.single;

// The answer in a form; `Incomplete` says what is missing.
export const entered = (kind, form) => READ[kind](form);

// What is said to an answer: [right, lines of HTML].
const GRADE = {
  single: ({ options }, answer) => [options[answer].correct, [options[answer].why]],
  predict: () => [null, [phrase("PREDICTION_KEPT")]],
  multiple: ({ options }, answer) => {
    const missed = options.filter((option, i) => option.correct && !answer.includes(i)).length;
    const right = !missed && answer.every((i) => options[i].correct);
    const lines = answer.map((i) => `${options[i].correct ? "✓" : "✗"} ${phrase("CHOSEN", { option: options[i].text, why: options[i].why })}`);
    if (missed) lines.push(phrase(missed === 1 ? "ONE_MORE_BELONGS" : "MORE_BELONG", { missed }));
    return [right, [phrase(right ? "ALL_CHOSEN" : "NOT_ALL_CHOSEN"), ...lines]];
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
    return [false, [otherwise + (unknown.length ? phrase("NO_SUCH_AXIS", { names: escaped(unknown.join(" or ")) }) : "")]];
  },
  order: ({ items }, answer) => {
    const place = answer.findIndex((item, i) => item !== i);
    if (place < 0) return [true, items.map(({ text, why }, i) => `${i + 1}. ${text}: ${why}`)];
    const before = place ? phrase(place === 1 ? "FIRST_STANDS_RIGHT" : "FIRST_STAND_RIGHT", { count: place }) : "";
    const { text, why } = items[answer[place]];
    return [false, [before + phrase("NOT_AT_THIS_PLACE", { item: text, place: place + 1, why })]];
  },
  match: ({ pairs, rights }, answer) => {
    const wrong = answer.map((_, i) => i).filter((i) => answer[i] !== i);
    if (!wrong.length) return [true, pairs.map(({ left, why }, i) => `${left} → ${rights[i].text}: ${why}`)];
    const lines = wrong.map((i) => `✗ ${phrase("NOT_THIS_PAIR", { left: pairs[i].left, right: rights[answer[i]].text, why: rights[answer[i]].why })}`);
    return [false, [phrase("PAIRS_RIGHT", { right: answer.length - wrong.length, count: answer.length }), ...lines]];
  },
  hunt: ({ options, lines, wrong, mended }, [line, symptom]) => {
    const { text, why, correct } = options[symptom], found = line === wrong, mark = (right) => (right ? "✓" : "✗");
    const verdict = found ? (correct ? "BUG_FOUND" : "BUG_WITHOUT_SYMPTOM") : correct ? "SYMPTOM_WITHOUT_BUG" : "NO_BUG_YET";
    return [found && correct, [
      phrase(verdict), `${mark(found)} ${phrase("OF_LINE", { line, why: lines[line - 1] })}`,
      ...(found ? [phrase("MENDED", { line: mended })] : []), `${mark(correct)} ${phrase("CHOSEN", { option: text, why })}`,
    ]];
  },
};

export const grade = (kind, key, answer) => GRADE[kind](key, answer);

const permutes = (list, count) => Array.isArray(list) && same([...list].sort((a, b) => a - b), [...Array(count).keys()]);
const FITS = {
  single: ({ options }, answer) => answer in options,
  multiple: ({ options }, answer) => Array.isArray(answer) && answer.every((i) => i in options),
  numeric: (_, answer) => Number.isFinite(answer),
  shape: (_, answer) => Array.isArray(answer),
  order: ({ items }, answer) => permutes(answer, items.length),
  match: ({ pairs, rights }, answer) => Array.isArray(answer) && answer.length === pairs.length && answer.every((i) => i in rights),
  hunt: ({ options, lines }, answer) => Array.isArray(answer) && answer[0] - 1 in lines && answer[1] in options,
};
FITS.predict = FITS.single;

// Whether a kept answer still fits a question that may have changed since.
export const fits = (kind, key, { answer = null, right } = {}) =>
  answer !== null && FITS[kind](key, answer) && grade(kind, key, answer)[0] === right;
