// One card a figure: value, what it is made of, what it was before, and the way to its records.

import { el } from "./elements.js";
import { fill, number, percent, say } from "./words.js";

const ORDER = [
  "reach", "unit_coverage", "sessions", "hours", "gaps_open", "gaps_closed",
  "multiplier", "confirmation_rate", "jp_mean", "jp_20_share",
];

export function shown(row, value = row.value) {
  if (value === null) return "–";
  return row.measure === "ratio" ? percent(value) : number(value, row.measure === "count" ? 0 : 1);
}

function madeOf(row, parts) {
  if (row.id === "hours" || row.id === "sessions") {
    return parts.map((part) => `${say(part.part)} ${shown(part)}`).join(" · ");
  }
  if (row.denominator === null) return "";
  const [a, b] = [number(row.numerator), number(row.denominator)];
  return say("madeOf")[row.id].replace("{a}", a).replace("{b}", b);
}

const UNITS = ["multiplier", "jp_mean", "hours"];

function card(row, parts, openRecords) {
  const value = el("p", { class: "figure" }, row.withheld ? "–" : shown(row));
  if (UNITS.includes(row.id) && row.value !== null) value.append(el("small", {}, say("units")[row.id]));
  const made = el("article", { class: "card" }, el("h3", {}, row.name), value);
  if (row.measure === "ratio" && row.value !== null) {
    const bar = el("div", { class: "meter", "aria-hidden": "true" }, el("div", {}));
    bar.firstChild.style.width = `${Math.min(100, row.value * 100)}%`;
    made.append(bar);
  }
  const parted = row.withheld ? say("withheld") : madeOf(row, parts);
  made.append(
    parted ? el("p", { class: "made" }, parted) : "",
    el("p", { class: "before" }, row.previous === null ? say("noBefore") : fill("before", { x: shown(row, row.previous) })),
  );
  if (openRecords && row.numerator) {
    const open = () => openRecords(row);
    made.append(el("button", { type: "button", class: "link", onclick: open, "aria-label": `${say("records")}: ${row.name}` }, say("records")));
  }
  return made;
}

export function showCards(into, rows, openRecords) {
  const cards = ORDER.map((id) => {
    const whole = rows.find((row) => row.id === id && row.part === null);
    return whole && card(whole, rows.filter((row) => row.id === id && row.part !== null), openRecords);
  });
  into.replaceChildren(...cards.filter(Boolean));
}

export function showFunnel(into, rows, openRecords, earlier) {
  const parts = rows.filter((row) => row.id === "training_funnel");
  const most = Math.max(...parts.map((row) => row.value ?? 0));
  if (!most && !parts.some((row) => row.withheld)) {
    into.replaceChildren(el("p", { class: "nothing" }, say("noTraining")), ...(earlier ?? []));
    return;
  }
  const steps = parts.map((row) => {
    const bar = el("div", { class: "step-bar", "aria-hidden": "true" });
    bar.style.width = `${most ? ((row.value ?? 0) / most) * 100 : 0}%`;
    const name = say("funnelParts")[row.part];
    const count = row.withheld ? say("withheld") : number(row.value);
    const open = openRecords && row.value;
    const told = open
      ? el("button", { type: "button", class: "link", onclick: () => openRecords(row), "aria-label": `${say("records")}: ${row.name}` }, count)
      : el("span", {}, count);
    return el("li", {}, el("span", { class: "step-name" }, name), el("div", { class: "step-track" }, bar), told);
  });
  into.replaceChildren(el("ol", { class: "funnel" }, ...steps));
}
