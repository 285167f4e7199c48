// Charts as plain SVG: columns (stacked) and a line, each with its figures as a table for those who don't see it.

import { el, svg, table } from "./elements.js";
import { say } from "./words.js";

const HEIGHT = 240;
const LEFT = 46;
const BOTTOM = 30;
const TOP = 14;
const RIGHT = 8;
const NARROWEST = 300;
const WIDEST = 640;
const LABEL = 40;

// The smallest of 1, 2, 5 x 10^n steps that needs at most four lines.
function scale(most, whole) {
  const wanted = Math.max(most, 1e-9) / 4;
  const power = 10 ** Math.floor(Math.log10(wanted));
  let step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= wanted * 0.999);
  if (whole) step = Math.max(1, step);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return { top: step * count, ticks: Array.from({ length: count + 1 }, (_, at) => at * step) };
}

const y = (value, top) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);

function frame(into, label, points, axis, show) {
  // Drawn at the width that it is shown at, so that letters keep their size on a phone.
  const width = Math.min(WIDEST, Math.max(NARROWEST, into.clientWidth || WIDEST));
  const step = (width - LEFT - RIGHT) / points.length;
  const every = Math.ceil(LABEL / step);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const tick of axis.ticks) {
    const at = y(tick, axis.top);
    picture.append(
      svg("line", { x1: LEFT, x2: width - RIGHT, y1: at, y2: at, class: tick ? "grid" : "base" }),
      svg("text", { x: LEFT - 8, y: at + 4, class: "tick end" }, show(tick)),
    );
  }
  points.forEach((point, at) => {
    if ((points.length - 1 - at) % every) return;
    picture.append(svg("text", { x: LEFT + step * (at + 0.5), y: HEIGHT - 9, class: "tick middle" }, point.short));
  });
  return { picture, step };
}

function withTable(picture, points, series, show) {
  const heads = [{ text: "" }, ...series.map((each) => ({ text: each.name, num: true }))];
  const rows = points.map((point) => [point.label, ...series.map((each) => told(point[each.key], show))]);
  return [picture, el("details", {}, el("summary", {}, say("asTable")), table(heads, rows))];
}

const told = (value, show) => (value === null || value === undefined ? "–" : show(value));

function legend(series) {
  if (series.length < 2) return [];
  const items = series.map((each) => el("li", {}, el("span", { class: `swatch ${each.key}` }), each.name));
  return [el("ul", { class: "legend" }, ...items)];
}

export function columns(into, { label, points, series, show, whole }) {
  const sums = points.map((point) => series.reduce((sum, each) => sum + (point[each.key] ?? 0), 0));
  const axis = scale(Math.max(...sums, whole ? 4 : 1), whole);
  const { picture, step } = frame(into, label, points, axis, show);
  const width = Math.min(34, step * 0.62);
  points.forEach((point, at) => {
    let below = 0;
    const x = LEFT + step * (at + 0.5) - width / 2;
    for (const each of series) {
      const value = point[each.key] ?? 0;
      if (!value) continue;
      const high = y(below + value, axis.top);
      const bar = svg("rect", { x, y: high, width, height: y(below, axis.top) - high, rx: 2, class: `bar ${each.key}` });
      bar.append(svg("title", {}, `${point.label} · ${each.name}: ${show(value)}`));
      picture.append(bar);
      below += value;
    }
    if (sums[at] && step > 30) {
      picture.append(svg("text", { x: x + width / 2, y: y(sums[at], axis.top) - 5, class: "value middle" }, show(sums[at])));
    }
  });
  into.replaceChildren(...legend(series), ...withTable(picture, points, series, show));
}

export function line(into, { label, points, series, show, most }) {
  const values = points.map((point) => point.value ?? 0);
  const axis = scale(Math.min(most ?? Infinity, Math.max(...values, 0.04)), false);
  const { picture, step } = frame(into, label, points, axis, show);
  const places = points
    .map((point, at) => ({ point, x: LEFT + step * (at + 0.5), y: y(point.value ?? 0, axis.top) }))
    .filter(({ point }) => point.value !== null);
  if (places.length) {
    const path = places.map((place, at) => `${at ? "L" : "M"}${place.x} ${place.y}`).join("");
    const base = y(0, axis.top);
    picture.append(
      svg("path", { d: `${path}L${places.at(-1).x} ${base}L${places[0].x} ${base}Z`, class: "area" }),
      svg("path", { d: path, class: "line" }),
    );
  }
  for (const { point, x, y: high } of places) {
    const dot = svg("circle", { cx: x, cy: high, r: 4, class: "dot" });
    dot.append(svg("title", {}, `${point.label}: ${show(point.value)} (${point.detail})`));
    picture.append(dot);
    if (point.value && step > 30) picture.append(svg("text", { x, y: high - 9, class: "value middle" }, show(point.value)));
  }
  into.replaceChildren(...withTable(picture, points, series, show));
}
