// The page: who looks (a token), at what (unit and period), and what is shown of it.

import { Refusal, address, all, dropToken, get, keepToken, takeToken } from "./api.js";
import { shown, showCards, showFunnel } from "./cards.js";
import { columns, line } from "./charts.js";
import { el, table } from "./elements.js";
import { choices, keyOf, label, presentMonth, shortMonth, stretch } from "./periods.js";
import { currentLanguage, fill, moment, number, percent, readable, say, speak } from "./words.js";

const $ = (id) => document.getElementById(id);
const state = { units: [], unit: null, grain: "year", period: keyOf(presentMonth(), "year"), gaps: [], asked: 0 };

function translate() {
  document.documentElement.lang = currentLanguage();
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
  for (const each of document.querySelectorAll("[data-language]")) {
    each.setAttribute("aria-pressed", String(each.dataset.language === currentLanguage()));
  }
  fillPeriods();
}

function fillPeriods() {
  $("grain").value = state.grain;
  $("period").replaceChildren(...choices(state.grain).map((key) => el("option", { value: key }, label(key))));
  $("period").value = state.period;
}

function fillUnits() {
  const top = state.units[0]?.depth ?? 0;
  const options = state.units.map((unit) => {
    return el("option", { value: unit.code }, `${"\u2003".repeat(unit.depth - top)}${unit.name}`);
  });
  $("unit").replaceChildren(...options);
  $("unit").value = state.unit;
}

// --- what is shown

const nameOf = (code) => state.units.find((unit) => unit.code === code)?.name ?? code;

async function show() {
  const asked = (state.asked += 1);
  $("figures").setAttribute("aria-busy", "true");
  const where = { unit: state.unit, period: state.period };
  const span = { unit: state.unit, grain: "month", ...stretch(state.period) };
  const series = (id, part) => all(`v1/kpis/${id}/series`, { ...span, part });
  const parts = (id) => Promise.all([series(id, "coaching"), series(id, "mentoring")]);
  try {
    const [rows, sessions, hours, reach, sources] = await Promise.all([
      all("v1/kpis", where), parts("sessions"), parts("hours"), series("reach"), get("v1/freshness"),
    ]);
    const gaps = await inside(all("v1/gaps", where));
    const trained = rows.some((row) => row.id === "training_funnel" && row.value) ? null : await lastTraining();
    if (asked !== state.asked) return;
    state.gaps = gaps;
    $("figures").hidden = false;
    headline(rows, sources.items);
    const openRecords = gaps ? (row) => records(row) : null;
    showCards($("cards"), rows, openRecords);
    showFunnel($("funnel"), rows, openRecords, trained && [trained]);
    showCharts(sessions, hours, reach);
    showGaps();
  } catch (trouble) {
    refuse(trouble);
  } finally {
    if (asked === state.asked) $("figures").removeAttribute("aria-busy");
  }
}

// A way to the newest year before in which a batch started.
async function lastTraining() {
  const until = state.period.slice(0, 4);
  const years = await all("v1/kpis/training_funnel/series", { unit: state.unit, grain: "year", part: "nominated", from: "2016", to: until });
  const year = years.findLast((point) => point.value && point.key < until)?.key;
  return year && el("button", { type: "button", onclick: () => look("year", year) }, fill("lastTraining", { x: year }));
}

function look(grain, period) {
  state.grain = grain;
  state.period = period;
  fillPeriods();
  show();
}

// Records and gaps are not for those who may see the city's figures only.
const inside = (asked) => asked.catch((trouble) => {
  if (trouble instanceof Refusal && trouble.status === 403) return null;
  throw trouble;
});

function headline(rows, sources) {
  $("title").textContent = `${nameOf(state.unit)} · ${label(state.period)}`;
  const behind = sources.reduce((sum, source) => sum + source.behind_events, 0);
  const told = [fill("asOf", { x: moment(rows[0].as_of) }), behind ? fill("behind", { n: number(behind) }) : say("upToDate")];
  if (rows.some((row) => row.withheld)) told.push(say("hidden"));
  $("fresh").textContent = told.join(" ");
  document.title = `Bina · ${$("title").textContent}`;
}

function showCharts(sessions, hours, reach) {
  const kinds = ["coaching", "mentoring"].map((key) => ({ key, name: say(key) }));
  const points = ([coaching, mentoring]) => coaching.map((point, at) => ({
    label: point.label, short: shortMonth(point.key), coaching: point.value, mentoring: mentoring[at].value,
  }));
  const whole = (value) => number(value);
  columns($("chart-sessions"), { label: say("sessionsByMonth"), points: points(sessions), series: kinds, show: whole, whole: true });
  columns($("chart-hours"), { label: say("hoursByMonth"), points: points(hours), series: kinds, show: whole, whole: true });
  line($("chart-reach"), {
    label: say("reachByMonth"),
    points: reach.map((point) => ({
      label: point.label, short: shortMonth(point.key), value: point.value,
      detail: point.withheld ? say("withheld") : fill("of", { a: number(point.numerator), b: number(point.denominator) }),
    })),
    series: [{ key: "value", name: say("people") }],
    show: percent,
    most: 1,
  });
}

function showGaps() {
  $("gaps-panel").hidden = state.gaps === null;
  if (state.gaps === null) return;
  const wanted = state.gaps.filter((gap) => $("all-gaps").checked || gap.missing);
  if (!wanted.length) {
    $("gaps").replaceChildren(el("p", { class: "nothing" }, say(state.gaps.length ? "none" : "noNeeds")));
    return;
  }
  const heads = ["unit", "competency", "level", "needed", "have", "missing", "change"]
    .map((key, at) => ({ text: say(key), num: at > 2 }));
  const ordered = wanted.toSorted((a, b) => b.missing - a.missing || nameOf(a.unit).localeCompare(nameOf(b.unit)));
  $("gaps").replaceChildren(table(heads, ordered.map((gap) => [
    nameOf(gap.unit), readable(gap.competency), `${gap.level} · ${say("levels")[gap.level]}`,
    number(gap.needed), number(gap.have), el("strong", { class: gap.missing ? "missing" : null }, number(gap.missing)),
    changed(gap.missing - gap.missing_before),
  ])));
}

const changed = (by) => (by ? `${by > 0 ? "+" : "−"}${number(Math.abs(by))}` : say("same"));

// --- the records behind a figure

function records(row) {
  const query = { unit: state.unit, period: state.period, part: row.part };
  const path = `v1/kpis/${row.id}/evidence`;
  const heads = ["type", "at", "unit", "id"].map((key) => ({ text: say(key) }));
  const items = [];
  let cursor = null;
  const load = async () => {
    try {
      const page = await get(path, { ...query, cursor });
      items.push(...page.items);
      cursor = page.next;
      const rows = items.map((item) => [
        [say("types")[item.type], item.part && (say("funnelParts")[item.part] ?? say(item.part))].filter(Boolean).join(" · "),
        moment(item.at), nameOf(item.unit), el("code", {}, item.id),
      ]);
      $("records-list").replaceChildren(items.length ? table(heads, rows) : el("p", {}, say("noRecords")));
      $("records-more").hidden = !cursor;
    } catch (trouble) {
      $("records").close();
      refuse(trouble);
    }
  };
  $("records-title").textContent = `${row.name}: ${shown(row)}`;
  $("records-address").textContent = address(path, query);
  $("records-list").replaceChildren();
  $("records-more").hidden = true;
  $("records-more").onclick = load;
  $("records").showModal();
  load();
}

// --- coming in and going out

function refuse(trouble) {
  if (trouble instanceof Refusal && trouble.status === 401) {
    dropToken();
    door(say("expired"));
  } else if (trouble instanceof Refusal) {
    door(trouble.status === 403 ? say("forbidden") : trouble.detail || say("empty"));
  } else {
    door(say("trouble"));
  }
}

function door(message = "") {
  $("refused").textContent = message;
  $("door").hidden = false;
  $("figures").hidden = $("pickers").hidden = $("leave").hidden = true;
}

async function enter() {
  try {
    const { items } = await get("dashboard/units");
    state.units = items;
    state.unit = items.some((unit) => unit.code === state.unit) ? state.unit : items[0].code;
    fillUnits();
    $("door").hidden = true;
    $("pickers").hidden = $("leave").hidden = false;
    await show();
  } catch (trouble) {
    refuse(trouble);
  }
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value.trim());
  $("token").value = "";
  enter();
});
$("leave").addEventListener("click", () => {
  dropToken();
  location.reload();
});
$("pickers").addEventListener("change", () => {
  const grain = $("grain").value;
  state.unit = $("unit").value;
  look(grain, grain === state.grain ? $("period").value : keyOf(presentMonth(), grain));
});
$("pickers").addEventListener("submit", (event) => event.preventDefault());
$("all-gaps").addEventListener("change", showGaps);
$("records-close").addEventListener("click", () => $("records").close());
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    speak(button.dataset.language);
    translate();
    if (!$("figures").hidden) show();
  });
}

translate();
if (takeToken()) enter();
else door();
