// A drawing of a machine that carries the numbers of a model, explained one step at a time.
//
//   render({ model, el })      for anywidget, or with a plain object as the model (`get`, `set`, `on`, `off`)
//   mount(el, spec, options)   for a page without a kernel
//
// `course_utils.machines` writes the spec: what the machine is made of, where it is in the wide and in the narrow
// layout, and what each step shows. Colours, lines and motion are decided here and nowhere else.

const MOVE = 400; // ms of one movement: an arrow first, then what it points at
const ROLES = {
  hidden: "hidden state", cell: "cell state", gate: "gate", attention: "attention", gradient: "gradient",
};

// A role has a colour and a second cue (its line), so that no colour is the only cue.
const CSS = `
.machine { --page:#fff; --ink:#1b2330; --soft:#566170; --line:#c4cbd4; --card:#f3f5f8; --neg:#2a78bd; --pos:#e0771a;
  --plain:#383636; --hidden:#288270; --cell:#854af2; --gate:#6e5413; --attention:#c933b4; --gradient:#a12002;
  --serif:"STIX Two Text",Cambria,Georgia,"Times New Roman",serif; --faint:.3; max-width:700px; box-sizing:border-box;
  color:var(--ink); font:15px/1.45 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif; }
.machine.dark { --page:#14181f; --ink:#e8ecf2; --soft:#a6b1bf; --line:#475261; --card:#1f2630; --neg:#58a9ee; --pos:#f39a3f;
  --plain:#e1dddc; --hidden:#378e7c; --cell:#b15bff; --gate:#cdac61; --attention:#f75fde; --gradient:#dd5a00; --faint:.38; }
.machine * { box-sizing:border-box; }
.machine .name { font-weight:650; font-size:17px; line-height:1.3; margin:0 0 4px; }
.machine .head { background:var(--page); padding:2px 0 6px; }
.machine.tall .head { position:sticky; top:0; z-index:1; }
.machine .say { display:grid; margin:0 0 6px; max-width:66ch; }
.machine .say > * { grid-area:1/1; margin:0; } .machine .ghost { visibility:hidden; }
.machine b { font-weight:650; } .machine i { font-family:var(--serif); font-size:1.08em; }
.machine sub, .machine sup { font-size:.8em; line-height:0; }
.machine .row { display:flex; flex-wrap:wrap; gap:6px; align-items:center; margin:6px 0; }
.machine button { font:inherit; font-size:14px; color:var(--ink); background:var(--card); border:1px solid var(--line);
  border-radius:6px; padding:3px 10px; min-height:34px; cursor:pointer; }
.machine button:disabled { opacity:.5; cursor:default; } .machine .play { min-width:84px; }
.machine button[aria-pressed=true] { border-color:var(--ink); box-shadow:inset 0 0 0 1px var(--ink); font-weight:650; }
.machine input[type=range] { flex:1 1 60px; min-width:50px; accent-color:var(--ink); }
.machine .soft { color:var(--soft); font-size:13px; font-variant-numeric:tabular-nums; }
.machine :focus-visible, .machine:focus-visible { outline:2px solid var(--neg); outline-offset:2px; }
.machine .stage { overflow-x:auto; } .machine svg { display:block; margin:0 auto; }
.machine text { fill:var(--ink); font-size:14px; text-anchor:middle; }
.machine text.small { font-size:12px; } .machine text.tiny { font-size:11px; }
.machine .math { font-family:var(--serif); font-style:italic; font-size:1.15em; } .machine tspan.shift { font-size:12px; }
.machine .label { fill:currentColor; } .machine .label.plain { fill:var(--soft); }
.machine .edge .label { stroke:var(--page); stroke-width:4px; paint-order:stroke; stroke-linejoin:round; }
.machine .node, .machine .edge { transition:opacity ${MOVE}ms; }
.machine .future { opacity:var(--faint); } .machine .edge.past { opacity:.55; } .machine .quiet:not(.now) { opacity:0; }
.machine .body { fill:var(--page); stroke:currentColor; stroke-width:1.5; }
.machine .glow { fill:currentColor; opacity:0; transition:opacity ${MOVE}ms; } .machine .now > .glow { opacity:.2; }
.machine .now > .body { stroke-width:2.5; } .machine .cell > .body { stroke-width:3.5; }
.machine .gate > .body { stroke-dasharray:1.5 3.5; stroke-linecap:round; stroke-width:2; }
.machine .gradient > .body { stroke-dasharray:6 3; } .machine .group { fill:none; stroke:var(--line); }
.machine .zero { stroke:var(--line); stroke-width:1; } .machine .grid { fill:none; stroke:var(--line); stroke-width:.75; }
.machine .bar { transition:x ${MOVE}ms, y ${MOVE}ms, width ${MOVE}ms, height ${MOVE}ms; }
.machine .wire { fill:none; stroke:currentColor; stroke-width:1.75; stroke-linejoin:round; }
.machine .now > .wire { stroke-width:3; } .machine .edge.cell .wire { stroke-width:6; }
.machine .edge.gate .wire { stroke-dasharray:.1 5; stroke-linecap:round; stroke-width:3; }
.machine .edge.gradient .wire { stroke-dasharray:7 4; }
.machine .tip { fill:currentColor; } .machine .hand { transition:transform ${MOVE}ms; }
.machine .key { display:flex; flex-wrap:wrap; gap:2px 16px; margin:4px 0; min-height:20px; }
.machine .key span { display:inline-flex; gap:6px; align-items:center; } .machine .key svg { margin:0; }
.machine .read { min-height:20px; margin:2px 0; } .machine table { border-collapse:collapse; font-size:13px; margin:4px 0; }
.machine th, .machine td { text-align:left; padding:2px 12px 2px 0; vertical-align:top; font-weight:400; }
.machine td { font-variant-numeric:tabular-nums; } .machine summary { cursor:pointer; }
@media (prefers-reduced-motion: reduce) { .machine * { transition:none !important; } }`;

// ------------------------------------------------------------------------------------------------- small tools

function svg(tag, attributes = {}, parent = null) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

function html(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name in made) made[name] = value; else made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const isNumber = (v) => typeof v === "number";
const listed = (v) => (v == null ? [] : [v].flat());

function fixed(v, digits = 2) { // 0.00 has no sign
  const text = Math.abs(v).toFixed(digits);
  return (v < 0 && Number(text) ? "−" : "") + text;
}

function told(v) { // a number as it is read out: small ones keep two digits
  if (!isNumber(v)) return v == null ? "" : spoken(String(v));
  return v && Math.abs(v) < 0.005 ? v.toPrecision(2).replaceAll("-", "−") : fixed(v);
}

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
    const classes = `${math ? "math" : ""} ${height ? "shift" : ""}`;
    Object.assign(svg("tspan", { class: classes, dy: -5 * height - up }, target), { textContent });
    up = -5 * height;
  }
}

const prose = (text) => pieces(text).map((p) => { // the same, as HTML
  const inner = p.math ? html("i", { textContent: p.text }) : document.createTextNode(p.text);
  return p.height ? html(p.height < 0 ? "sub" : "sup", {}, inner) : inner;
});

// ------------------------------------------------------------------------------------------------------- nodes
// Each kind has a size and draws itself around (0, 0). `draw` returns `set(value)`, and `cells` where it has some.

const fits = (n) => ({ w: n.w, h: n.h });
const frame = (g, { w, h }, rx) => {
  svg("rect", { class: "glow", x: -w / 2 - 6, y: -h / 2 - 6, width: w + 12, height: h + 12, rx: rx + 6 }, g);
  svg("rect", { class: "body", x: -w / 2 - 1.5, y: -h / 2 - 1.5, width: w + 3, height: h + 3, rx }, g);
};
const sized = (n) => `${n.size ?? ""}`;

const KINDS = {
  // n numbers: a bar in each cell, to one side or the other of its middle; with `digits` the number as well.
  // `share`: from 0 to 1, and the cell fills from below.
  cells: {
    size: ({ n, across = 1, cell: [w, h] }) => ({ w: Math.min(n, across) * w, h: Math.ceil(n / across) * h }),
    draw(g, node) {
      const { w, h, n, across = 1, cell: [wide, high], digits, scale = 1, share } = node;
      const flat = n > 1 && across === 1 && digits == null && !share; // bars go left and right, else up and down
      frame(g, node, share ? 6 : 3);
      const cells = Array.from({ length: n }, (_, i) => {
        const x = -w / 2 + (i % across) * wide, y = -h / 2 + Math.floor(i / across) * high;
        const bar = svg("rect", { class: "bar", x, y, width: 0, height: 0 }, g);
        const hit = svg("rect", { class: n > 1 ? "grid" : "", x, y, width: wide, height: high, fill: "transparent" }, g);
        if (!share && !flat) svg("path", { class: "zero", d: `M${x} ${y + high / 2} h${wide}` }, g);
        const text = digits == null ? null : svg("text", { class: sized(node), x: x + wide / 2, y: y + high / 2 + 5 }, g);
        return { x, y, bar, hit, text };
      });
      if (flat) svg("path", { class: "zero", d: `M0 ${-h / 2} V${h / 2}` }, g);
      function fill({ x, y, bar, text }, value) {
        const v = isNumber(value) ? clamp(value / scale, -1, 1) : 0, long = Math.abs(v);
        const at = share ? [x, y + high * (1 - v), wide, high * v]
          : flat ? [x + (wide / 2) * (1 + Math.min(v, 0)), y + 1, (wide / 2) * long, high - 2]
          : [x + 1, y + (high / 2) * (1 - Math.max(v, 0)), wide - 2, (high / 2) * long];
        ["x", "y", "width", "height"].forEach((name, k) => bar.setAttribute(name, Math.max(at[k], k > 1 ? 0 : -1e4)));
        bar.style.fill = share ? "currentColor" : v < 0 ? "var(--neg)" : "var(--pos)";
        bar.style.opacity = digits == null ? 1 : 0.35;
        if (text) write(text, isNumber(value) ? fixed(value, digits) : value ?? "");
      }
      return { cells: cells.map((c) => c.hit), set: (value) => cells.forEach((c, i) => fill(c, listed(value)[i])) };
    },
  },
  word: {
    size: ({ w, text = "" }) => ({ w: w ?? Math.max(34, 8 * text.length + 18), h: 26 }),
    draw(g, node) {
      frame(g, node, 13);
      const text = svg("text", { y: 4.5, class: sized(node) }, g);
      return { set: (value) => write(text, value ?? node.text ?? "") };
    },
  },
  op: {
    size: ({ text = "+", w }) => { const d = w ?? (text.length > 2 ? 38 : 28); return { w: d, h: d }; },
    draw(g, node) {
      frame(g, node, node.w / 2 + 1);
      write(svg("text", { y: 4.5, class: node.text.length > 2 ? "small" : "" }, g), node.text);
      return { set() {} };
    },
  },
  box: { // a part that is not opened, and a line below its name
    size: fits,
    draw(g, node) {
      frame(g, node, 8);
      const name = svg("text", { class: sized(node) }, g), note = svg("text", { class: "small", y: 13 }, g);
      write(name, node.text ?? "");
      return { set(value) {
        write(note, value ?? node.note ?? "");
        name.setAttribute("y", note.textContent ? -4 : 5);
      } };
    },
  },
  text: {
    size: ({ w = 8, h = 16 }) => ({ w, h }),
    draw(g, node) {
      const text = svg("text", { y: 4.5, class: sized(node), style: `text-anchor:${node.anchor ?? "middle"}` }, g);
      if (node.role) text.classList.add("label");
      return { set: (value) => write(text, value ?? node.text ?? "") };
    },
  },
  bars: { // [[name, probability], …], one below the other
    size: ({ w, rows }) => ({ w, h: 22 * rows }),
    draw(g, { w, h, rows, room }) {
      const left = -w / 2 + room, long = w - room - 36;
      const lines = Array.from({ length: rows }, (_, i) => {
        const y = -h / 2 + 22 * (i + 0.5);
        svg("rect", { class: "grid", x: left, y: y - 6, width: long, height: 12 }, g);
        return {
          name: svg("text", { class: "small", x: left - 6, y: y + 4.5, style: "text-anchor:end" }, g),
          bar: svg("rect", { class: "bar", x: left, y: y - 6, width: 0, height: 12, fill: "currentColor" }, g),
          number: svg("text", { class: "small", x: left + long + 5, y: y + 4.5, style: "text-anchor:start" }, g),
        };
      });
      return { set: (value) => lines.forEach(({ name, bar, number }, i) => {
        const [word, p] = value?.[i] ?? ["", 0], best = value && p === Math.max(...value.map((v) => v[1]));
        [name.textContent, number.textContent] = [word, word && fixed(p)];
        bar.setAttribute("width", long * p);
        name.style.fontWeight = number.style.fontWeight = best ? 650 : "";
      }) };
    },
  },
  dial: { // a hand at an angle in radians, anticlockwise from the right; several hands where the value is a list
    size: ({ d }) => ({ w: d, h: d }),
    draw(g, node) {
      const r = node.d / 2;
      frame(g, node, r + 1.5);
      svg("path", { class: "zero", d: `M${-r} 0 H${r} M0 ${-r} V${r}` }, g);
      const hands = (node.hands ?? [node.role]).map((role) => {
        const hand = svg("g", { class: `hand edge ${role}`, style: `color:var(--${role})` }, g);
        svg("path", { class: "wire", d: `M0 0 H${r - 12}` }, hand);
        svg("path", { class: "tip", d: `M${r - 3} 0 l-10 -5 v10 z` }, hand);
        return hand;
      });
      return { set: (value) => hands.forEach((hand, i) => {
        const angle = listed(value)[i];
        hand.style.visibility = isNumber(angle) ? "" : "hidden";
        hand.style.transform = `rotate(${-(angle ?? 0)}rad)`;
      }) };
    },
  },
};

function drawNode(node, parent) {
  const g = svg("g", { class: `node ${node.role ?? "plain"}`, transform: `translate(${node.x} ${node.y})` }, parent);
  g.style.color = `var(--${node.role ?? "plain"})`;
  g.dataset.id = node.id;
  const part = KINDS[node.kind].draw(g, node);
  if (node.label) {
    const { w, h } = node, side = node.side ?? "above";
    const [x, y, anchor] = { above: [0, -h / 2 - 9, "middle"], below: [0, h / 2 + 18, "middle"],
      left: [-w / 2 - 8, 5, "end"], right: [w / 2 + 8, 5, "start"] }[side];
    write(svg("text", { class: `label ${node.role ?? "plain"} ${node.labelSize ?? ""}`, x, y, style: `text-anchor:${anchor}` }, g), node.label);
  }
  return { g, ...part };
}

// ------------------------------------------------------------------------------------------------------- edges

const WAY = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] };

// From a to b: straight where they face each other, else a curve; or around one corner ("hv", "vh"), or along points.
function route(edge, a, b) {
  const via = edge.via ?? { hv: [[b.x, a.y]], vh: [[a.x, b.y]] }[edge.route] ?? [];
  const toward = (n, [x, y]) => { // the side of a node that faces a point
    const across = Math.abs(x - n.x) - n.w / 2 >= Math.abs(y - n.y) - n.h / 2;
    return across ? (x < n.x ? "left" : "right") : y < n.y ? "top" : "bottom";
  };
  const gapX = Math.abs(b.x - a.x) - (a.w + b.w) / 2, gapY = Math.abs(b.y - a.y) - (a.h + b.h) / 2;
  const straight = gapX >= gapY ? (b.x >= a.x ? ["right", "left"] : ["left", "right"]) : b.y >= a.y ? ["bottom", "top"] : ["top", "bottom"];
  const sides = via.length ? [toward(a, via[0]), toward(b, via.at(-1))] : straight;
  const out = WAY[edge.out ?? sides[0]], into = WAY[edge.into ?? sides[1]], room = edge.arrow === false ? 2 : 9;
  const leave = (n, [dx, dy], gap) => [n.x + dx * (n.w / 2 + gap), n.y + dy * (n.h / 2 + gap)];
  const start = leave(a, out, 3), end = leave(b, into, room);
  if (via.length) { // a side is left at the height of the first point, and entered at that of the last
    const k = out[0] ? 1 : 0, j = into[0] ? 1 : 0;
    if (Math.abs(via[0][k] - start[k]) < [a.w, a.h][k] / 2) start[k] = via[0][k];
    if (Math.abs(via.at(-1)[j] - end[j]) < [b.w, b.h][j] / 2) end[j] = via.at(-1)[j];
    return along([start, ...via, end]);
  }
  const k = out[0] ? 1 : 0, facing = out[0] === -into[0] && out[1] === -into[1];
  if (facing) { // straight where one lies within the other's side
    if (Math.abs(b[k ? "y" : "x"] - start[k]) <= [a.w, a.h][k] / 2) start[k] = end[k];
    else if (Math.abs(a[k ? "y" : "x"] - end[k]) <= [b.w, b.h][k] / 2) end[k] = start[k];
    if (start[k] === end[k]) return along([start, end]);
  }
  const pull = 0.5 * Math.max(24, Math.abs(facing ? end[1 - k] - start[1 - k] : Math.hypot(end[0] - start[0], end[1] - start[1])));
  const c = [0, 1].map((i) => [start[i] + out[i] * pull, end[i] + into[i] * pull]);
  const middle = [0, 1].map((i) => (start[i] + 3 * c[i][0] + 3 * c[i][1] + end[i]) / 8);
  return { d: `M${start} C${c[0][0]} ${c[1][0]} ${c[0][1]} ${c[1][1]} ${end}`, end, turn: [-into[0], -into[1]], middle };
}

function along(points) { // lines with rounded corners
  let d = `M${points[0]}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [p, q, s] = points.slice(i - 1, i + 2);
    const near = (u) => {
      const l = Math.hypot(u[0] - q[0], u[1] - q[1]) || 1, r = Math.min(8, l / 2);
      return [q[0] + ((u[0] - q[0]) * r) / l, q[1] + ((u[1] - q[1]) * r) / l];
    };
    d += ` L${near(p)} Q${q} ${near(s)}`;
  }
  const [p, q] = points.slice(-2), i = Math.floor((points.length - 1) / 2), l = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
  const middle = [0, 1].map((k) => (points[i][k] + points[i + 1][k]) / 2);
  return { d: `${d} L${q}`, end: q, turn: [(q[0] - p[0]) / l, (q[1] - p[1]) / l], middle, flat: Math.abs(q[1] - p[1]) < 1 };
}

function drawEdge(edge, a, b, parent) {
  const g = svg("g", { class: `edge ${edge.role ?? "plain"} ${edge.quiet ? "quiet" : ""}` }, parent);
  g.style.color = `var(--${edge.role ?? "plain"})`;
  g.dataset.id = edge.id;
  const { d, end, turn, middle, flat } = route(edge, a, b), wire = svg("path", { class: "wire", d }, g);
  if (edge.role === "cell" && edge.thin) wire.style.strokeWidth = 2.5;
  const angle = (Math.atan2(turn[1], turn[0]) * 180) / Math.PI;
  const head = edge.arrow === false ? null
    : svg("path", { class: "tip", d: "M8 0 L-3 -5.5 L-1 0 L-3 5.5 z", transform: `translate(${end}) rotate(${angle})` }, g);
  if (edge.label) {
    const [dx, dy] = edge.shift ?? (flat === false ? [7, 5] : [0, -8]);
    const style = `text-anchor:${flat === false && !edge.shift ? "start" : "middle"}`;
    write(svg("text", { class: "label", x: middle[0] + dx, y: middle[1] + dy, style }, g), edge.label);
  }
  return {
    g,
    set(value) { // an amount from 0 to 1 is the width of the line; [width, number] where the number is another one
      const share = listed(value)[0];
      wire.style.strokeWidth = isNumber(share) ? 0.75 + 9 * clamp(share, 0, 1) : edge.thin ? 2.5 : "";
      wire.style.opacity = isNumber(share) ? 0.2 + 0.8 * share ** 0.5 : "";
      if (head) head.style.opacity = wire.style.opacity;
    },
    flow() { // drawn once from its start to its end
      if (getComputedStyle(wire).strokeDasharray === "none") {
        const long = wire.getTotalLength(), strokeDasharray = `${long} ${long}`;
        wire.animate([{ strokeDasharray, strokeDashoffset: long }, { strokeDasharray, strokeDashoffset: 0 }], MOVE);
      } else wire.animate([{ opacity: 0 }, { opacity: 1 }], MOVE);
      head?.animate([{ opacity: 0 }, { opacity: 0, offset: 0.7 }, { opacity: 1 }], MOVE);
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

function sample(role) { // a role's line, for the key
  const picture = svg("svg", { width: 34, height: 12, class: "edge", "aria-hidden": "true", style: `color:var(--${role})` });
  svg("path", { class: "wire", d: "M2 6 H32" }, svg("g", { class: `edge ${role}` }, picture));
  return html("span", {}, picture, ROLES[role]);
}

export function mount(el, spec, { step = 0, variant = 0, onMove = () => {} } = {}) {
  const variants = spec.variants.map((v) => ({ ...v, steps: unfold(v.steps) }));
  const sentence = (s) => [html("b", {}, ...prose(s.title)), " ", ...prose(s.text)];
  const ghosts = variants.flatMap((v) => v.steps).map((s) => html("p", { className: "ghost", "aria-hidden": "true" }, ...sentence(s)));
  const said = html("p", { role: "status" }), say = html("div", { className: "say" }, said, ...ghosts);
  const button = (textContent, onclick, className = "") => html("button", { type: "button", textContent, className, onclick });
  const play = button("", toggle, "play"), back = button("Back", () => go(step - 1)), next = button("Next", () => go(step + 1));
  const range = html("input", { type: "range", min: 0, "aria-label": "Step", oninput: () => go(+range.value) });
  const count = html("span", { className: "soft" });
  const presets = variants.length < 2 ? [] : variants.map((v, i) => button(v.name, () => { halt(); show(Math.min(step, variants[i].steps.length - 1), i); }));
  const choice = html("div", { className: "row", role: "group", "aria-label": spec.choose || "Variant", hidden: !presets.length }, ...presets);
  const head = html("div", { className: "head" }, say, html("div", { className: "row" }, play, back, next, range, count));
  const stage = html("div", { className: "stage" }), read = html("p", { className: "soft read", "aria-hidden": "true" });
  const used = [...spec.nodes, ...spec.edges].flatMap((one) => [one.role, ...(one.hands ?? [])]);
  const key = html("div", { className: "soft key" }, ...Object.keys(ROLES).filter((role) => used.includes(role)).map(sample));
  const table = html("table"), numbers = html("details", { ontoggle: list }, html("summary", { className: "soft", textContent: "Numbers of this step" }), table);
  const root = html("section", { className: "machine", tabIndex: 0, "aria-label": spoken(spec.title), "data-lm-suppress-shortcuts": "true" },
    html("style", { textContent: CSS }), html("div", { className: "name" }, ...prose(spec.title)), choice, head, stage, key, read, numbers);
  if (spec.nodes.some((n) => n.kind === "cells" && !n.share)) key.append(signs());
  el.append(root);

  let layout = "", parts = {}, timer = 0;
  const due = new Map(); // what waits for its turn
  const current = () => variants[variant].steps[step], last = () => variants[variant].steps.length - 1;
  const later = (ms, act) => {
    if (!ms) return act();
    const wait = setTimeout(() => { due.delete(wait); act(); }, ms);
    due.set(wait, act);
  };
  const settle = () => { for (const [wait, act] of [...due]) { clearTimeout(wait); due.delete(wait); act(); } };

  function build() { // the picture, in the layout that fits
    const name = root.clientWidth >= spec.wide[0] ? "wide" : "narrow";
    if (name === layout) return false;
    settle();
    layout = name;
    const [width, height] = spec[name], label = spec.alt;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    const wires = svg("g", {}, picture), bodies = svg("g", {}, picture), nodes = {};
    parts = {};
    for (const one of spec.nodes) {
      const node = { ...one, ...one[name] };
      nodes[node.id] = Object.assign(node, KINDS[node.kind].size(node));
      parts[node.id] = { ...drawNode(node, bodies), of: node };
    }
    for (const one of spec.edges) {
      const edge = { ...one, ...one[name] };
      parts[edge.id] = { ...drawEdge(edge, nodes[edge.from], nodes[edge.to], wires), of: edge, edge: true };
    }
    for (const part of Object.values(parts)) part.g.addEventListener("pointerover", (e) => inspect(part, e.target));
    picture.addEventListener("pointerleave", () => (read.textContent = ""));
    stage.replaceChildren(picture);
    root.classList.toggle("tall", height > 420);
    return true;
  }
  const called = (one) => spoken(one.name || one.label || one.text || "");
  function inspect({ of, cells, edge }, target) { // what is pointed at, in the line below the picture
    const value = current().values[of.id], i = cells ? cells.indexOf(target) : -1;
    const shown = edge ? told(listed(value).at(-1)) : i >= 0 ? told(listed(value)[i]) : words(value);
    const which = i >= 0 && of.n > 1 ? `, ${i + 1} of ${of.n}` : "";
    read.textContent = called(of) && `${called(of)}${which}${shown ? `: ${shown}` : ""}`;
  }
  const words = (value) => listed(value).length > 16 ? `${listed(value).length} numbers`
    : Array.isArray(value) && Array.isArray(value[0]) ? value.map(([word, p]) => `${word} ${fixed(p)}`).join(", ")
    : listed(value).map(told).join("  ");
  function list() { // every number of what is lit, as a table
    if (!numbers.open) return;
    const rows = [...current().lit].map((id) => [parts[id], current().values[id]]).filter(([part, value]) => value != null && called(part.of));
    table.replaceChildren(...rows.map(([part, value]) => html("tr", {}, html("th", { scope: "row" }, called(part.of)), html("td", {}, words(value)))));
  }

  // Phase after phase; in each what it starts from lights up, then its arrows, then what they point at.
  function turns(phases) {
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
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const forward = to === step + 1 && of === variant && !still;
    settle();
    [step, variant] = [to, of];
    const { lit, past, values, on, title } = current(), begin = forward ? turns(on) : {};
    for (const [id, part] of Object.entries(parts)) {
      const before = past.has(id) || part.of.always ? "past" : "future";
      const look = (as) => ["now", "past", "future"].forEach((one) => part.g.classList.toggle(one, one === as));
      if (begin[id]) look(before);
      later(begin[id], () => {
        look(lit.has(id) ? "now" : before);
        part.set(values[id]);
        if (forward && part.edge && lit.has(id)) part.flow();
      });
    }
    said.replaceChildren(...sentence(current()));
    Object.assign(range, { max: last(), value: step });
    range.setAttribute("aria-valuetext", `step ${step + 1}: ${spoken(title)}`);
    count.textContent = `${step + 1} of ${last() + 1}`;
    [back.disabled, next.disabled] = [step === 0, step === last()];
    presets.forEach((one, i) => one.setAttribute("aria-pressed", i === variant));
    read.textContent = "";
    list();
    if (announce) onMove(step, variant);
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

  const fit = () => { if (build()) show(step, variant, false); };
  const resized = new ResizeObserver(fit), unwatch = watch(root, el);
  halt();
  fit();
  resized.observe(root);
  return { show, remove() { halt(); settle(); resized.disconnect(); unwatch(); root.remove(); } };
}

function signs() { // how a number is drawn
  const picture = svg("svg", { width: 52, height: 12, "aria-hidden": "true" });
  svg("rect", { x: 6, y: 2, width: 20, height: 8, fill: "var(--neg)" }, picture);
  svg("rect", { x: 26, y: 2, width: 20, height: 8, fill: "var(--pos)" }, picture);
  svg("path", { class: "zero", d: "M26 0 V12" }, picture);
  return html("span", {}, "below 0", picture, "above 0");
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
  let machine = null;
  const onMove = (step, variant) => { model.set?.("step", step); model.set?.("variant", variant); model.save_changes?.(); };
  const moved = () => machine.show(model.get("step") ?? 0, model.get("variant") ?? 0, false);
  const make = () => {
    machine?.remove();
    machine = mount(el, model.get("spec"), { step: model.get("step") ?? 0, variant: model.get("variant") ?? 0, onMove });
  };
  const heard = [["change:spec", make], ["change:step", moved], ["change:variant", moved]];
  make();
  for (const [event, act] of heard) model.on?.(event, act);
  return () => { for (const [event, act] of heard) model.off?.(event, act); machine.remove(); };
}

export default { render };
