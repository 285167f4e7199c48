// Calls reporting with the reader's token. The token lives in this tab (sessionStorage), never in an address.

import { currentLanguage } from "./words.js";

const KEY = "bina.token";
// The page may stand behind a gateway that puts a prefix before everything.
const BASE = location.pathname.replace(/dashboard\/?$/, "");

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}

export const keepToken = (token) => sessionStorage.setItem(KEY, token);
export const dropToken = () => sessionStorage.removeItem(KEY);

export function address(path, query = {}) {
  const told = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return BASE + path + (told.length ? `?${new URLSearchParams(told)}` : "");
}

export async function get(path, query) {
  const answer = await fetch(address(path, query), {
    headers: { Authorization: `Bearer ${sessionStorage.getItem(KEY)}`, "Accept-Language": currentLanguage() },
    cache: "no-store",
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, problem.detail ?? "");
  }
  return answer.json();
}

export async function all(path, query) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { ...query, limit: 200, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}
