// A drawing of a machine that carries the numbers of a model, explained one step at a time.
//
//   render({ model, el })      for a view, whose model's `about` is the spec
//   mount(el, spec, options)   for anybody else
//
// `course_utils.machines` writes the spec: what the machine is made of, where it is in the wide and in the narrow
// layout, and what each step shows. Colours, lines and motion are decided here and nowhere else.

const MOVE = 400; // ms of one movement: an arrow first, then what it points at
const ROLES = { hidden: "hidden state", cell: "cell state", gate: "gate", attention: "attention", gradient: "gradient" };

// A role has a colour and a second cue (its line), so that no colour is the only cue.
const CSS = `
.machine { --page:#fff; --ink:#1b2330; --soft:#566170; --line:#c4cbd4; --card:#f3f5f8; --neg:#2a78bd; --pos:#e0771a; --faint:.3;
  --plain:#383636; --hidden:#288270; --cell:#854af2; --gate:#6e5413; --attention:#c933b4; --gradient:#a12002;
  --serif:"STIX Two Text",Cambria,Georgia,"Times New Roman",serif; max-width:700px;
  color:var(--ink); font:15px/1.45 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif; }
.machine.dark { --page:#14181f; --ink:#e8ecf2; --soft:#a6b1bf; --line:#475261; --card:#1f2630; --neg:#58a9ee; --pos:#f39a3f; --faint:.38;
  --plain:#e1dddc; --hidden:#378e7c; --cell:#b15bff; --gate:#cdac61; --attention:#f75fde; --gradient:#dd5a00; }
.machine, .machine * { box-sizing:border-box; } .machine .name { font-weight:650; font-size:17px; line-height:1.3; margin:0 0 4px; }
.machine .head { background:var(--page); padding:2px 0 6px; } .machine.tall .head { position:sticky; top:0; z-index:1; }
.machine .say { display:grid; margin:0 0 6px; max-width:66ch; } .machine .say > * { grid-area:1/1; margin:0; }
.machine .ghost { visibility:hidden; } .machine b { font-weight:650; } .machine i { font-family:var(--serif); font-size:1.08em; }
.machine sub, .machine sup { font-size:.8em; line-height:0; white-space:nowrap; } .machine [hidden] { display:none; }
.machine .row { display:flex; flex-wrap:wrap; gap:6px; align-items:center; margin:6px 0; }
.machine button { font:inherit; font-size:14px; color:var(--ink); background:var(--card); border:1px solid var(--line);
  border-radius:6px; padding:3px 10px; min-height:34px; cursor:pointer; }
.machine button:disabled { opacity:.5; cursor:default; } .machine .play { min-width:84px; }
.machine button[aria-pressed=true] { border-color:var(--ink); box-shadow:inset 0 0 0 1px var(--ink); font-weight:650; }
.machine input[type=range] { flex:1 1 60px; min-width:50px; accent-color:var(--ink); }
.machine .soft { color:var(--soft); font-size:13px; font-variant-numeric:tabular-nums; }
.machine :focus-visible, .machine:focus-visible { outline:2px solid var(--neg); outline-offset:2px; }
.machine .stage { overflow-x:auto; } .machine svg { display:block; margin:0 auto; } .machine .node { scroll-margin:190px 0 20px; }
.machine text { fill:var(--ink); font-size:14px; text-anchor:middle; }
.machine text, .machine .zero, .machine .bar { pointer-events:none; } .machine .small { font-size:12px; } .machine .tiny { font-size:11px; }
.machine .math { font-family:var(--serif); font-style:italic; font-size:1.15em; } .machine tspan.shift { font-size:12px; }
.machine .label, .machine .tinted { fill:currentColor; } .machine .label.plain { fill:var(--soft); }
.machine .edge .label { stroke:var(--page); stroke-width:4px; paint-order:stroke; stroke-linejoin:round; }
.machine .node, .machine .edge, .machine .glow { transition:opacity ${MOVE}ms; }
.machine .future { opacity:var(--faint); } .machine .edge.past { opacity:.55; } .machine .quiet:not(.now) { opacity:0; }
.machine .body { fill:var(--page); stroke:currentColor; stroke-width:1.5; } .machine .hollow > .body { fill:none; stroke-opacity:.5; }
.machine .glow { fill:currentColor; opacity:0; } .machine .now > .glow { opacity:.2; } .machine .hollow > .glow { display:none; }
.machine .now > .body { stroke-width:2.5; } .machine .cell > .body { stroke-width:3.5; } .machine .gradient > .body { stroke-dasharray:6 3; }
.machine .gate > .body { stroke-dasharray:1.5 3.5; stroke-linecap:round; stroke-width:2; }
.machine .zero { stroke:var(--line); } .machine .number { stroke:var(--page); stroke-width:3px; stroke-opacity:.8; paint-order:stroke; stroke-linejoin:round; }
.machine .grid { fill:transparent; stroke:var(--line); stroke-width:.75; }
.machine .bar { transition:x ${MOVE}ms, y ${MOVE}ms, width ${MOVE}ms, height ${MOVE}ms; } .machine .hand { transition:transform ${MOVE}ms; }
.machine .wire { fill:none; stroke:currentColor; stroke-width:1.75; stroke-linejoin:round; } .machine .now > .wire { stroke-width:3; }
.machine .edge.cell .wire { stroke-width:6; } .machine .edge.thin .wire { stroke-width:2.5; } .machine .tip { fill:currentColor; }
.machine .edge.gate .wire { stroke-dasharray:.1 5; stroke-linecap:round; stroke-width:3; }
.machine .edge.gradient .wire { stroke-dasharray:7 4; } .machine .band .wire { stroke-width:var(--band); opacity:.16; }
.machine .key { display:flex; flex-wrap:wrap; gap:2px 16px; margin:4px 0; } .machine .key svg { margin:0; }
.machine .key span { display:inline-flex; gap:6px; align-items:center; } .machine .read { min-height:20px; margin:2px 0; }
.machine table { border-collapse:collapse; font-size:13px; margin:4px 0; } .machine summary { cursor:pointer; }
.machine th, .machine td { text-align:left; padding:2px 12px 2px 0; vertical-align:top; font-weight:400; font-variant-numeric:tabular-nums; }
@media (prefers-reduced-motion: reduce) { .machine * { transition:none !important; } }`;

// ------------------------------------------------------------------------------------------------- small tools

const svg = (tag, attributes = {}, parent = null) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return parent?.appendChild(made) ?? made;
};
function html(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) if (name in made) made[name] = value; else made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const isNumber = (v) => typeof v === "number", listed = (v) => (v == null ? [] : [v].flat());
const fixed = (v, digits = 2) => (v < 0 && +v.toFixed(digits) ? "−" : "") + Math.abs(v).toFixed(digits); // 0.00 has no sign
const told = (v) => !isNumber(v) ? spoken(v ?? "") // a number as it is read out: small ones keep two digits
  : v && Math.abs(v) < 0.005 ? v.toPrecision(2).replaceAll("-", "−") : fixed(v);

// "the state $h_{t-1}$" → pieces of plain text and of formula, with their height: 0, −1 (index) or 1 (exponent).
function pieces(text) {
  return String(text).split("$").flatMap((part, i) => {
    if (i % 2 === 0) return part ? [{ text: part, height: 0 }] : [];
    const found = part.matchAll(/([_^])(?:\{([^}]*)\}|(.))|([^_^]+)/gu);
    return [...found].map((m) => ({ text: m[4] ?? m[2] ?? m[3], math: true, height: { _: -1, "^": 1 }[m[1]] ?? 0 }));
  });
}
const spoken = (text) => pieces(text).map((p) => p.text).join("");
function write(target, text) { // into a <text>
  target.replaceChildren();
  let up = 0;
  for (const { text: textContent, math, height } of pieces(text)) {
    Object.assign(svg("tspan", { class: `${math ? "math" : ""} ${height ? "shift" : ""}`, dy: -5 * height - up }, target), { textContent });
    up = -5 * height;
  }
}
const prose = (text) => pieces(text).map((p) => { // the same, as HTML
  const inner = p.math ? html("i", { textContent: p.text }) : document.createTextNode(p.text);
  return p.height ? html(p.height < 0 ? "sub" : "sup", {}, inner) : inner;
});

// ------------------------------------------------------------------------------------------------------- nodes
// Each kind has a size [w, h] and draws itself around (0, 0); it returns `set(value)`, and its `cells` where it has some.

function frame(g, { w, h }, rx) {
  svg("rect", { class: "glow", x: -w / 2 - 6, y: -h / 2 - 6, width: w + 12, height: h + 12, rx: rx + 6 }, g);
  svg("rect", { class: "body", x: -w / 2 - 1.5, y: -h / 2 - 1.5, width: w + 3, height: h + 3, rx }, g);
}

const KINDS = {
  cells: { // n numbers, a bar each; with `digits` the number in front of it; `share`: from 0 to 1, in the role's colour
    size: ({ n, across = 1, cell: [w, h] }) => [Math.min(n, across) * w, Math.ceil(n / across) * h],
    draw(g, node) {
      const { w, h, n, across = 1, cell: [wide, high], digits, scale = 1, share, bare, size = "" } = node;
      const flat = n > 1 && across === 1 && digits == null && !share; // bars go left and right, else up and down
      frame(g, node, share ? 6 : 3);
      const cells = Array.from({ length: n }, (_, i) => {
        const x = -w / 2 + (i % across) * wide, y = -h / 2 + Math.floor(i / across) * high;
        const bar = svg("rect", { class: "bar", x, y, width: 0, height: 0 }, g);
        const hit = svg("rect", { class: "grid", x, y, width: wide, height: high, "stroke-opacity": n > 1 ? 1 : 0 }, g);
        if (!share && digits == null) svg("path", { class: "zero", d: flat ? `M0 ${y} v${high}` : `M${x} ${y + high / 2} h${wide}` }, g);
        return { x, y, bar, hit, text: digits == null ? null : svg("text", { class: `number ${size}`, x: x + wide / 2, y: y + high / 2 + 5 }, g) };
      });
      function fill({ x, y, bar, text }, value) {
        const v = isNumber(value) && !bare ? clamp(value / scale, share ? 0 : -1, 1) : 0, long = Math.abs(v);
        const at = share || digits != null ? [x, v < 0 ? y : y + high * (1 - v), wide, high * long] // below 0: from above
          : flat ? [x + (wide / 2) * (1 + Math.min(v, 0)), y + 1, (wide / 2) * long, high - 2]
          : [x + 1, y + (high / 2) * (1 - Math.max(v, 0)), wide - 2, (high / 2) * long];
        ["x", "y", "width", "height"].forEach((name, k) => bar.setAttribute(name, at[k]));
        bar.style.fill = share ? "currentColor" : v < 0 ? "var(--neg)" : "var(--pos)";
        bar.style.opacity = digits == null && !share ? 1 : 0.35;
        if (text) write(text, isNumber(value) ? fixed(value, digits) : value ?? "");
      }
      return { cells: cells.map((c) => c.hit), set: (value) => cells.forEach((c, i) => fill(c, listed(value)[i])) };
    },
  },
  word: {
    size: ({ w, text = "" }) => [w ?? Math.max(34, 8 * text.length + 18), 26],
    draw(g, node) {
      const { text, set } = writing(g, node, 13), long = () => node.size === "tiny" || text.textContent.length * 7.3 > node.w - 6;
      return { set: (value) => { set(value); text.classList.toggle("tiny", long()); } };
    },
  },
  op: {
    size: ({ text = "+", w }) => Array(2).fill(w ?? (text.length > 2 ? 38 : 28)),
    draw: (g, node) => writing(g, { ...node, size: node.text.length > 2 ? "small" : "" }, node.w / 2 + 1),
  },
  text: { size: ({ w = 8, h = 16 }) => [w, h], draw: (g, node) => writing(g, node, null) },
  box: { // a part that is not opened, and a line below its name
    size: ({ w, h }) => [w, h],
    draw(g, node) {
      const name = writing(g, node, 8), note = svg("text", { class: "small", y: 14 }, g);
      return { set(value) {
        name.set(node.text);
        write(note, value ?? node.note ?? "");
        name.text.setAttribute("y", note.textContent ? -3 : 5);
      } };
    },
  },
  dial: { // hands at angles in radians, anticlockwise from the right, one for each role in `hands`
    size: ({ d }) => [d, d],
    draw(g, { d, w, h, hands }) {
      const r = d / 2;
      frame(g, { w, h }, r + 1.5);
      svg("path", { class: "zero", d: `M${-r} 0 H${r} M0 ${-r} V${r}` }, g);
      const drawn = hands.map((role, i) => { // the first is the longest
        const long = r * (1 - 0.3 * i), hand = svg("g", { class: `hand edge ${role}`, style: `color:var(--${role})` }, g);
        svg("path", { class: "wire", d: `M0 0 H${long - 12}` }, hand);
        svg("path", { class: "tip", d: `M${long - 3} 0 l-10 -5 v10 z` }, hand);
        return hand;
      });
      return { set: (value) => drawn.forEach((hand, i) => {
        hand.style.visibility = isNumber(listed(value)[i]) ? "" : "hidden";
        hand.style.transform = `rotate(${-(listed(value)[i] ?? 0)}rad)`;
      }) };
    },
  },
};

function writing(g, node, rx) { // a text, in a frame with corners of `rx` unless that is null
  if (rx != null) frame(g, node, rx);
  const text = svg("text", { y: 4.5, class: node.size ?? "", style: `text-anchor:${node.anchor ?? "middle"}` }, g);
  if (rx == null && node.role) text.classList.add("tinted");
  return { text, set: (value) => write(text, value ?? node.text ?? "") };
}

function drawNode(node, parent) {
  const { role = "plain", w, h, label, side = "above" } = node;
  const g = svg("g", { class: `node ${role} ${node.hollow ? "hollow" : ""}`, transform: `translate(${node.x} ${node.y})` }, parent);
  g.style.color = `var(--${role})`;
  g.dataset.id = node.id;
  const part = KINDS[node.kind].draw(g, node);
  if (label) {
    const [x, y, anchor] = { above: [0, -h / 2 - 9, "middle"], below: [0, h / 2 + 18, "middle"],
      left: [-w / 2 - 8, 5, "end"], right: [w / 2 + 8, 5, "start"], corner: [-w / 2 + 8, -h / 2 + 17, "start"] }[side];
    write(svg("text", { class: `label ${role} ${node.labelSize ?? ""}`, x, y, style: `text-anchor:${anchor}` }, g), label);
  }
  return { g, of: node, ...part };
}

// ------------------------------------------------------------------------------------------------------- edges

const WAY = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] };

// From a to b: straight where they face each other, else a curve; or around one corner ("hv", "vh"), or along points.
function route(edge, a, b) {
  const via = edge.via ?? { hv: [[b.x, a.y]], vh: [[a.x, b.y]] }[edge.route] ?? [];
  const facing = (n, [x, y], w = 0, h = 0) => // the side of n that faces something of that size
    Math.abs(x - n.x) - (n.w + w) / 2 >= Math.abs(y - n.y) - (n.h + h) / 2 ? (x < n.x ? "left" : "right") : y < n.y ? "top" : "bottom";
  const out = WAY[edge.out ?? facing(a, ...(via.length ? [via[0]] : [[b.x, b.y], b.w, b.h]))];
  const into = WAY[edge.into ?? facing(b, ...(via.length ? [via.at(-1)] : [[a.x, a.y], a.w, a.h]))];
  const leave = (n, [dx, dy], gap) => [n.x + dx * (n.w / 2 + gap), n.y + dy * (n.h / 2 + gap)];
  const start = leave(a, out, edge.gap ?? 3), end = leave(b, into, edge.gap ?? (edge.arrow === false ? 2 : 9));
  const k = out[0] ? 1 : 0, j = into[0] ? 1 : 0, within = (n, axis, at) => Math.abs([n.x, n.y][axis] - at) <= [n.w, n.h][axis] / 2;
  if (via.length) { // a side is left at the height of the first point, and entered at that of the last
    if (within(a, k, via[0][k])) start[k] = via[0][k];
    if (within(b, j, via.at(-1)[j])) end[j] = via.at(-1)[j];
    return along([start, ...via, end]);
  }
  if (k === j) { // straight where the middle of one is within the other's side
    if (within(a, k, end[k])) start[k] = end[k]; else if (within(b, k, start[k])) end[k] = start[k];
    if (start[k] === end[k]) return along([start, end]);
  }
  const pull = 0.5 * Math.max(24, k === j ? Math.abs(end[1 - k] - start[1 - k]) : Math.hypot(end[0] - start[0], end[1] - start[1]));
  const [c, e] = [start.map((v, i) => v + out[i] * pull), end.map((v, i) => v + into[i] * pull)];
  const middle = start.map((v, i) => (v + 3 * c[i] + 3 * e[i] + end[i]) / 8);
  return { d: `M${start} C${c} ${e} ${end}`, end, turn: [-into[0], -into[1]], middle };
}

function along(points) { // lines with rounded corners
  const toward = (q, u, r) => q.map((v, k) => v + ((u[k] - v) * r) / (Math.hypot(u[0] - q[0], u[1] - q[1]) || 1));
  const half = (q, u) => Math.min(8, Math.hypot(u[0] - q[0], u[1] - q[1]) / 2);
  const corners = points.slice(1, -1).map((q, i) =>
    ` L${toward(q, points[i], half(q, points[i]))} Q${q} ${toward(q, points[i + 2], half(q, points[i + 2]))}`);
  const [p, q] = points.slice(-2), i = Math.floor((points.length - 1) / 2), turn = toward([0, 0], [q[0] - p[0], q[1] - p[1]], 1);
  const middle = [0, 1].map((k) => (points[i][k] + points[i + 1][k]) / 2);
  return { d: `M${points[0]}${corners.join("")} L${q}`, end: q, turn, middle, upright: Math.abs(turn[1]) > 0.5 };
}

function drawEdge(edge, a, b, parent) {
  const { role = "plain", label } = edge, classes = ["quiet", "thin", "band"].filter((name) => edge[name]).join(" ");
  const g = svg("g", { class: `edge ${role} ${classes}`, style: `color:var(--${role});--band:${edge.band ?? 0}px` }, parent);
  g.dataset.id = edge.id;
  const { d, end, turn, middle, upright } = route(edge, a, b), wire = svg("path", { class: "wire", d }, g);
  const transform = `translate(${end}) rotate(${(Math.atan2(turn[1], turn[0]) * 180) / Math.PI})`;
  const tip = edge.arrow === false ? null : svg("path", { class: "tip", d: "M8 0 L-3 -5.5 L-1 0 L-3 5.5 z", transform }, g);
  if (label) {
    const [dx, dy] = edge.shift ?? (upright ? [7, 5] : [0, -8]), style = `text-anchor:${upright && !edge.shift ? "start" : "middle"}`;
    write(svg("text", { class: `label ${edge.size ?? ""}`, x: middle[0] + dx, y: middle[1] + dy, style }, g), label);
  }
  return {
    g, of: edge, edge: true,
    set(value) { // an amount from 0 to 1 is the width of the line; [width, number] where the number is another one
      const share = listed(value)[0];
      wire.style.strokeWidth = isNumber(share) ? 0.75 + 9 * clamp(share, 0, 1) : "";
      wire.style.opacity = isNumber(share) ? 0.2 + 0.8 * share ** 0.5 : "";
      if (tip) tip.style.opacity = wire.style.opacity;
    },
    flow() { // drawn once from its start to its end
      const long = wire.getTotalLength(), strokeDasharray = `${long} ${long}`, solid = getComputedStyle(wire).strokeDasharray === "none";
      wire.animate(solid ? { strokeDasharray: Array(2).fill(strokeDasharray), strokeDashoffset: [long, 0] } : { opacity: [0, 1] }, MOVE);
      tip?.animate({ opacity: [0, 0, 1], offset: [0, 0.7, 1] }, MOVE);
    },
  };
}

// ------------------------------------------------------------------------------------------------------ player

function unfold(steps) { // what each step shows: values add up, and what was lit before is past
  let values = {}, seen = [];
  return steps.map((step) => {
    values = { ...values, ...step.values };
    const lit = step.on.flat(), past = step.fresh ? [] : seen;
    seen = [...past, ...lit];
    return { ...step, values, lit: new Set(lit), past: new Set(past) };
  });
}

function keyOf(spec) { // each role's line and its name, and how a number is drawn
  const used = [...spec.nodes, ...spec.edges].flatMap((one) => [one.role, ...(one.hands ?? [])]);
  const picture = (width) => svg("svg", { width, height: 12, "aria-hidden": "true" });
  const key = html("div", { className: "soft key" }, ...Object.keys(ROLES).filter((role) => used.includes(role)).map((role) => {
    const line = picture(34);
    svg("path", { class: "wire", d: "M2 6 H32" }, svg("g", { class: `edge ${role}`, style: `color:var(--${role})` }, line));
    return html("span", {}, line, spec.called?.[role] ?? ROLES[role]);
  }));
  const signs = spec.nodes.some((n) => n.kind === "cells" && !n.share && !n.bare) ? picture(44) : null;
  if (!signs) return key;
  for (const [x, name] of [[2, "neg"], [22, "pos"]]) svg("rect", { x, y: 2, width: 20, height: 8, fill: `var(--${name})` }, signs);
  key.append(html("span", {}, "below 0", signs, "above 0"));
  return key;
}

export function mount(el, spec, { step = 0, variant = 0, onMove = () => {} } = {}) {
  const variants = spec.variants.map((v) => ({ ...v, steps: unfold(v.steps) }));
  const sentence = (s) => [html("b", {}, ...prose(s.title)), " ", ...prose(s.text)];
  const button = (textContent, onclick, className = "") => html("button", { type: "button", textContent, className, onclick });
  const status = html("p", { role: "status" }); // and below it the longest text keeps its room
  const ghosts = variants.flatMap((v) => v.steps).map((s) => html("p", { className: "ghost", "aria-hidden": "true" }, ...sentence(s)));
  const play = button("", toggle, "play"), back = button("Back", () => go(step - 1)), next = button("Next", () => go(step + 1));
  const range = html("input", { type: "range", min: 0, "aria-label": "Step", oninput: () => go(+range.value) });
  const count = html("span", { className: "soft" }), read = html("p", { className: "soft read", "aria-hidden": "true" });
  const presets = variants.length < 2 ? [] : variants.map((v, i) => button(v.name, () => { halt(); show(Math.min(step, v.steps.length - 1), i); }));
  const table = html("table"), numbers = html("details", { ontoggle: list }, html("summary", { className: "soft" }, "Numbers of this step"), table);
  const stage = html("div", { className: "stage" });
  const named = { className: "machine", tabIndex: 0, role: "group", "aria-label": spoken(spec.title) };
  const root = html("div", named,
    html("style", { textContent: CSS }), html("div", { className: "name" }, ...prose(spec.title)),
    html("div", { className: "row", role: "group", "aria-label": spec.choose || "Variant", hidden: !presets.length }, ...presets),
    html("div", { className: "head" }, html("div", { className: "say" }, status, ...ghosts),
      html("div", { className: "row" }, play, back, next, range, count)),
    stage, keyOf(spec), read, numbers);
  el.append(root);

  let layout = "", parts = {}, timer = 0;
  const due = new Map(); // what waits for its turn
  const current = () => variants[variant].steps[step], last = () => variants[variant].steps.length - 1;
  const later = (ms, act) => { if (ms) { const wait = setTimeout(() => { due.delete(wait); act(); }, ms); due.set(wait, act); } else act(); };
  const settle = () => { for (const [wait, act] of [...due]) { clearTimeout(wait); due.delete(wait); act(); } };

  function build() { // the picture, in the layout that fits
    const name = root.clientWidth >= spec.wide[0] ? "wide" : "narrow";
    if (name === layout) return;
    settle();
    const [width, height] = spec[(layout = name)], nodes = {}, here = (one) => ({ ...one, ...one[name] });
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken(spec.alt) });
    const wires = svg("g", {}, picture), bodies = svg("g", {}, picture);
    parts = {};
    for (const node of spec.nodes.map(here)) {
      [node.w, node.h] = KINDS[node.kind].size(node);
      parts[node.id] = drawNode((nodes[node.id] = node), bodies);
    }
    for (const edge of spec.edges.map(here)) parts[edge.id] = drawEdge(edge, nodes[edge.from], nodes[edge.to], wires);
    for (const part of Object.values(parts)) part.g.addEventListener("pointerover", (e) => inspect(part, e.target));
    picture.addEventListener("pointerleave", () => (read.textContent = ""));
    stage.replaceChildren(picture);
    root.classList.toggle("tall", height > 420);
    show(step, variant, false);
  }
  const called = (one) => spoken(one.name || one.label || one.text || "");
  const words = (value) => listed(value).map(told).join("  ");
  function inspect({ of, cells, edge }, target) { // what is pointed at, in the line below the picture
    const value = current().values[of.id], i = cells ? cells.indexOf(target) : -1;
    const shown = edge ? told(listed(value).at(-1)) : i < 0 ? words(value) : told(listed(value)[i]);
    read.textContent = called(of) && `${called(of)}${i >= 0 && of.n > 1 ? `, ${i + 1} of ${of.n}` : ""}${shown ? `: ${shown}` : ""}`;
  }
  function list() { // every number of what is lit, as a table
    const lit = [...current().lit].filter((id) => numbers.open && current().values[id] != null && called(parts[id].of));
    const cells = (id) => [html("th", { scope: "row" }, called(parts[id].of)), html("td", {}, words(current().values[id]))];
    table.replaceChildren(...lit.map((id) => html("tr", {}, ...cells(id))));
  }
  function turns(phases) { // when each part moves: what a phase starts from, then its arrows, then what they point at
    const begin = {};
    let clock = 0;
    for (const phase of phases) {
      const arrows = phase.filter((id) => parts[id].edge), reached = new Set(arrows.map((id) => parts[id].of.to));
      for (const id of phase) begin[id] ??= clock + (reached.has(id) ? MOVE : 0);
      clock += MOVE * (arrows.length ? 2 : 1);
    }
    return begin;
  }
  function show(to, of = variant, announce = true) {
    const forward = to === step + 1 && of === variant && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    settle();
    [step, variant] = [to, of];
    const { lit, past, values, on, title } = current(), begin = forward ? turns(on) : {};
    for (const [id, part] of Object.entries(parts)) {
      const before = past.has(id) || part.of.always ? "past" : "future";
      const look = (as) => ["now", "past", "future"].forEach((one) => part.g.classList.toggle(one, one === as));
      if (begin[id]) look(before);
      if (begin[id] && lit.has(id) && !part.of.always && JSON.stringify(part.last) !== JSON.stringify(values[id])) part.set(null); // not yet
      later(begin[id], () => {
        look(lit.has(id) ? "now" : before);
        part.set((part.last = values[id]));
        if (forward && part.edge && lit.has(id)) part.flow();
      });
    }
    status.replaceChildren(...sentence(current()));
    Object.assign(range, { max: last(), value: step });
    range.setAttribute("aria-valuetext", `step ${step + 1}: ${spoken(title)}`);
    count.textContent = `${step + 1} of ${last() + 1}`;
    [back.disabled, next.disabled] = [step === 0, step === last()];
    presets.forEach((one, i) => one.setAttribute("aria-pressed", i === variant));
    read.textContent = "";
    list();
    if (announce) onMove(step, variant);
    if (announce && root.classList.contains("tall")) parts[on.at(-1).at(-1)].g.scrollIntoView({ block: "nearest" });
  }
  function halt() { clearTimeout(timer); timer = 0; play.textContent = "▶ Play"; }
  function run() { // each step stays as long as it takes to read
    if (!root.isConnected || step >= last()) return halt();
    play.textContent = "❚❚ Pause";
    const { title, text, on } = current();
    timer = setTimeout(() => { show(step + 1); run(); }, 1200 + Math.max(45 * (title + text).length, 2 * MOVE * on.length));
  }
  function go(to) { halt(); if (to >= 0 && to <= last() && to !== step) show(to); }
  function toggle() { if (timer) return halt(); show(step === last() ? 0 : step + 1); run(); }
  root.addEventListener("keydown", (e) => {
    if (e.target.matches("input, summary") || e.altKey || e.ctrlKey || e.metaKey) return;
    const keys = { ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(last()) };
    const act = e.key === " " && !e.target.matches("button") ? toggle : keys[e.key];
    if (act) { e.preventDefault(); e.stopPropagation(); act(); }
  });
  const resized = new ResizeObserver(build), unwatch = watch(root, el);
  halt();
  resized.observe(root);
  build();
  return { show, remove() { halt(); settle(); resized.disconnect(); unwatch(); root.remove(); } };
}

// Light or dark, by what is behind the drawing: that holds on pages and in every theme of Jupyter.
function watch(root, el) {
  function look() {
    let rgb = null;
    for (let at = el; at && !rgb; at = at.parentElement ?? at.getRootNode().host) {
      const [r, g, b, alpha = 1] = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
      if (alpha > 0.5 && r != null) rgb = [r, g, b];
    }
    root.classList.toggle("dark", !!rgb && 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] < 110);
    if (rgb) root.style.setProperty("--page", `rgb(${rgb})`);
  }
  look();
  const changed = new MutationObserver(() => setTimeout(look, 50)), dark = matchMedia("(prefers-color-scheme: dark)");
  for (const page of [document.documentElement, document.body]) changed.observe(page, { attributes: true });
  dark.addEventListener("change", look);
  return () => { changed.disconnect(); dark.removeEventListener("change", look); };
}

export function render({ model, el }) {
  const machine = mount(el, model.get("about"));
  return () => machine.remove();
}

export default { render };
