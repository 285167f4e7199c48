// Small helpers to make elements; text is always set as text.

const SVG = "http://www.w3.org/2000/svg";

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const el = (name, attributes = {}, ...children) => made(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) => made(document.createElementNS(SVG, name), attributes, children);

export function table(heads, rows) {
  const cell = (name, value, numeric) => el(name, { class: numeric ? "num" : null, scope: name === "th" ? "col" : null }, value);
  return el(
    "table", {},
    el("thead", {}, el("tr", {}, ...heads.map((head) => cell("th", head.text, head.num)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((value, at) => cell("td", value, heads[at].num))))),
  );
}
