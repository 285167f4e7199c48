// Years, quarters and months by their keys: 2016, 2016-Q2, 2016-05.

import { monthName, say } from "./words.js";

const FIRST_YEAR = 2016;
const two = (number) => String(number).padStart(2, "0");

// The present month in the city.
export function presentMonth() {
  const parts = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", timeZone: "Asia/Jakarta" });
  return parts.format(new Date()).slice(0, 7);
}

export function keyOf(month, grain) {
  const [year, number] = month.split("-").map(Number);
  if (grain === "year") return String(year);
  return grain === "quarter" ? `${year}-Q${Math.ceil(number / 3)}` : month;
}

export function lastMonth(key) {
  if (/^\d{4}$/.test(key)) return `${key}-12`;
  const quarter = /^(\d{4})-Q(\d)$/.exec(key);
  return quarter ? `${quarter[1]}-${two(quarter[2] * 3)}` : key;
}

export function monthsBefore(month, count) {
  const [year, number] = month.split("-").map(Number);
  const at = year * 12 + number - 1 - count;
  return `${Math.floor(at / 12)}-${two((at % 12) + 1)}`;
}

// All periods from the programme's first year to now, newest first.
export function choices(grain) {
  const found = new Set();
  for (let month = presentMonth(); month >= `${FIRST_YEAR}-01`; month = monthsBefore(month, 1)) found.add(keyOf(month, grain));
  return [...found];
}

export function label(key) {
  if (/^\d{4}$/.test(key)) return key;
  const quarter = /^(\d{4})-Q(\d)$/.exec(key);
  if (quarter) return `${say("quarter")} ${quarter[2]} ${quarter[1]}`;
  return `${monthName(key)} ${key.slice(0, 4)}`;
}

// Twelve months: those of the year, or those that end with the period; none of the future.
export function stretch(key) {
  const present = presentMonth();
  const end = lastMonth(key);
  const last = end < present ? end : present;
  const first = /^\d{4}$/.test(key) && end <= present ? `${key}-01` : monthsBefore(last, 11);
  return { from: first, to: last };
}

export const shortMonth = (key) => {
  const name = monthName(key, "short");
  return key.endsWith("-01") ? `${name} ’${key.slice(2, 4)}` : name;
};
