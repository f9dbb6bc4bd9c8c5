// Elements made in one line, and texts filled in.

// make("label", { class: "a", onclick: f, html: "<b>b</b>" }, child, "text")
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") element.innerHTML = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

// A phrase of `teaching/phrases.py`, the words in braces filled in.
export const phrase = (name, fields = {}) =>
  globalThis.coursePhrases[name].replace(/\{(\w+)\}/g, (_, field) => fields[field]);
