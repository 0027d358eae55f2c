// Making elements, and numbers and times for people. Text is always set as text, never as HTML.

import { isEnglish, word } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);
// Sets a text only when it is another one: what reads the page aloud repeats every setting.
export function say(node, text) { if (node.textContent !== text) node.textContent = text; }
// "0.319000" → "0.319": zeros that only say how a property is stored are not for people.
export const plainDecimal = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
// Two decimals of a long value, cut and not rounded, unless that would hide that it passed the limit.
export function shortDecimal(text, limit = null) {
  const [whole, digits = ""] = text.split(".");
  if (digits.length <= 4) return text;
  const short = plainDecimal(`${whole}.${digits.slice(0, 2)}`);
  return limit !== null && Number(short) === Number(limit) ? text : short;
}
export const count = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en-US"));

// Times come as ISO 8601 in +08:00; they are shown as they are written, whatever the browser's zone.
export const dateOf = (iso) => iso.slice(0, 10);
export const timeOf = (iso) => iso.slice(11, 16);
export const momentOf = (iso) => (iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}` : "–");

// `exact`: with seconds also beyond the first minute, for what counts on.
export function span(seconds, exact = false) {
  if (seconds === null || seconds === undefined) return "–";
  const minutes = Math.floor(seconds / 60);
  const rest = Math.floor(seconds % 60);
  if (exact && minutes > 0 && minutes < 60) return isEnglish() ? `${minutes} min ${rest} s` : `${minutes} 分 ${rest} 秒`;
  if (seconds < 60) return isEnglish() ? `${Math.floor(seconds)} s` : `${Math.floor(seconds)} 秒`;
  if (minutes < 60) return isEnglish() ? `${minutes} min` : `${minutes} 分`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return isEnglish() ? `${hours} h ${minutes % 60} min` : `${hours} 时 ${minutes % 60} 分`;
  return isEnglish() ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} 天`;
}

export const between = (from, to) => (from && to ? Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) : null);

let onNobody = async () => {};
// What to do when an answer is 401, before the question is asked again.
export function whenNobody(act) { onNobody = act; }

export async function fetchJson(path, given = {}) {
  const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== null && value !== undefined));
  let answer = await ask(path, query);
  while (answer.status === 401) {
    await onNobody();
    answer = await ask(path, query);
  }
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const ask = (path, query) => fetch(`/v1/${path}?${query}`, { headers: { accept: "application/json" } });

export function periodWord(period) {
  return word(period === "state" ? "state_" : period);
}
