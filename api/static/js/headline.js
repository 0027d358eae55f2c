// The Plan's three computed indicators, always three: value, bounds, target, what they rest on; or why not.

import { chosenDomain } from "./domains.js";
import { byId, count, dateOf, element, momentOf, periodWord, shape } from "./dom.js";
import { pick, unitName, word } from "./words.js";

export const PROVINCE = "330000";
const ROWS = [13, 15, 19];
const BAR = { width: 300, height: 26, top: 8, tall: 10 };

export function isHeadline(fact, catalogue) {
  return catalogue.some((item) => item.plan && item.indicator === fact.indicator && item.plan.period === fact.period);
}

export function showHeadline(figures, catalogue) {
  const chosen = chosenDomain()?.name;
  const items = new Map(catalogue.filter((item) => item.plan).map((item) => [item.plan_row, item]));
  const shown = ROWS.filter((row) => !chosen || items.get(row)?.domain === chosen);
  byId("headline").hidden = shown.length === 0;
  byId("headline").replaceChildren(...shown.map((row) => {
    const item = items.get(row);
    const fact = item && figures.find((one) => one.indicator === item.indicator && one.period === item.plan.period && one.area === PROVINCE);
    return card(row, item, fact);
  }));
}

function card(row, item, fact) {
  const title = item ? pick(item.title_zh, item.title_en) : word(`plan-${row}`);
  const head = element(
    "h3", {}, element("span", { class: "row" }, `plan.${row}`), ` ${title} `,
    item ? element("span", { class: "quiet" }, fact && item.plan.period !== "state" ? dateOf(fact.start).slice(0, 4) : periodWord(item.plan.period)) : null,
  );
  const stated = fact && fact.value !== null;
  return element(
    "li", { class: "headline-card", "data-row": row }, head,
    ...(stated ? [numbers(fact), bar(fact, item.plan)] : [element("p", { class: "why" }, `${word("no-data-yet")}${why(row, item, fact)}`)]),
    item ? element("p", { class: "meta" }, ...marks(item, fact)) : null,
    fact ? element("p", { class: "meta" }, ...evidence(row, fact)) : null,
    fact ? element("p", { class: "meta" }, part(fact), " ", fragment(`${word("as-of")}\u00a0${momentOf(fact.known_from).slice(5, 16)}`), fragment(`${word("revision")} ${fact.revision}`)) : null,
  );
}

function why(row, item, fact) {
  if (!item) return word("no-domain");
  return fact ? `${word("not-stated")} ${fact.have}/${fact.want}` : word(`why-${row}`);
}

// Without bounds a complete figure is certain; of an incomplete one nobody has said how far off it may be.
function limits(fact) {
  if (fact.lower !== null && fact.upper !== null) return [fact.lower, fact.upper];
  return fact.complete ? [fact.value, fact.value] : null;
}

function numbers(fact) {
  const range = limits(fact);
  const text = range === null ? word("no-bounds") : range[0] === range[1] ? word("certain") : `${word("between")} ${range[0]} – ${range[1]}`;
  return element("p", { class: "number" }, fact.value, element("small", {}, unitName(fact.unit)), element("span", { class: "bounds" }, text));
}

function marks(item, fact) {
  const { base, target, path } = item.plan;
  const year = fact ? fact.known_from.slice(0, 4) : null;
  const found = [fragment(`${word("target-2025")} ${target}`)];
  if (path) {
    const years = Object.keys(path);
    found.push(fragment(path[year] ? `${year} ${word("path")} ${path[year]}` : `${word("path")} ${years[0]}–${years.at(-1)} ${path[years[0]]} → ${path[years.at(-1)]}`));
    found.push(fragment(word("no-target")));
  }
  if (!["--", "—"].includes(base)) found.push(fragment(`${word("in-2020")} ${base}`));
  return found;
}

function evidence(row, fact) {
  const detail = fact.detail;
  if (row === 13) {
    return [
      fragment(`${word("signed-off")} ${count(Number(fact.numerator))}/${count(Number(fact.denominator))}`),
      fragment(`${word("relapses")} ${count(detail.relapse_proposed?.length ?? 0)}`, detail.relapse_proposed?.length ? "part" : ""),
      fragment(word("relapse-rule")),
    ];
  }
  if (row === 15) {
    return ["2012", "2026"].filter((rule) => detail[`ratio_${rule}rule`])
      .map((rule) => fragment(`${word("by-rule")} ${rule} ${detail[`ratio_${rule}rule`]}`));
  }
  return detail.accepted === undefined ? [] : [fragment(`${word("accepted")} ${count(detail.accepted)} − ${word("deregistered")} ${count(detail.deregistered)}`)];
}

const fragment = (text, kind = "") => element("span", { class: kind }, text);
const part = (fact) => fragment(`${word("complete")} ${count(fact.have)}/${count(fact.want)}`, fact.complete ? "" : "part");

// The value as a line inside the band of its bounds; the target as a mark below, the path of the year above.
function bar(fact, plan) {
  const range = limits(fact);
  const goal = plan.target_value === null ? null : Number(plan.target_value);
  const now = plan.path?.[fact.known_from.slice(0, 4)] ?? null;
  const most = fact.unit === "%" ? 100 : Math.max(goal ?? 0, ...(range ?? []).map(Number), Number(fact.value)) * 1.04;
  const x = (value) => (Number(value) / most) * BAR.width;
  const below = BAR.top + BAR.tall;
  const parts = [shape("rect", { class: "scale", x: 0, y: BAR.top, width: BAR.width, height: BAR.tall, rx: 2 })];
  if (range) parts.push(shape("rect", { class: "band", x: x(range[0]), y: BAR.top, width: Math.max(1, x(range[1]) - x(range[0])), height: BAR.tall }));
  parts.push(shape("rect", { class: "filled", x: 0, y: BAR.top + 3, width: x(range ? range[0] : fact.value), height: BAR.tall - 6 }));
  parts.push(shape("rect", { class: "value-line", x: Math.min(x(fact.value), BAR.width - 1) - 1, y: BAR.top - 2, width: 3, height: BAR.tall + 4 }));
  if (goal !== null) parts.push(shape("path", { class: "goal", d: `M${x(goal)} ${below + 1}l-4.5 7h9z` }));
  if (now !== null) parts.push(shape("path", { class: "path-mark", d: `M${x(now)} ${BAR.top - 1}l-4 -6h8z` }));
  const said = [fact.value + fact.unit];
  if (range) said.push(`${word("between")} ${range[0]} – ${range[1]}`);
  said.push(`${word("target-2025")} ${plan.target}`);
  return shape("svg", { class: "bounds-bar", viewBox: `-5 0 ${BAR.width + 10} ${BAR.height}`, role: "img", "aria-label": said.join(", ") }, ...parts);
}
