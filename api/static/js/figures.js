// Facts: cards for the province, a table for the cities. Which ones exist is the catalogue's affair.

import { byId, dateOf, element, periodWord, timeOf } from "./dom.js";
import { PROVINCE, isHeadline, showHeadline } from "./headline.js";
import { pick, unitName, word } from "./words.js";

const ORDER = ["state", "hour", "day", "month", "year"];

export function showFigures(figures, catalogue) {
  showHeadline(figures, catalogue);
  const known = new Map(catalogue.map((item) => [item.indicator, item]));
  const sorted = [...figures].sort((a, b) => rank(a, known) - rank(b, known) || a.indicator.localeCompare(b.indicator) || ORDER.indexOf(a.period) - ORDER.indexOf(b.period));
  const province = sorted.filter((fact) => fact.area === PROVINCE && !isHeadline(fact, catalogue));
  byId("figures").replaceChildren(...province.map((fact) => card(fact, known.get(fact.indicator))));
  byId("figures").hidden = province.length === 0;
  showCities(sorted.filter((fact) => fact.area !== PROVINCE), known);
}

const rank = (fact, known) => known.get(fact.indicator)?.plan_row ?? 1000;

function titleOf(fact, item) {
  return item ? pick(item.title_zh, item.title_en) : fact.indicator;
}

function card(fact, item) {
  const row = item?.plan_row ? `${fact.indicator} ` : "";
  const bounds = fact.lower !== null && fact.upper !== null && fact.lower !== fact.upper ? `[${fact.lower}–${fact.upper}]` : null;
  return element(
    "div", { class: "card", title: `${titleOf(fact, item)} · ${fact.start} – ${fact.end} · r${fact.revision} ${fact.cause}` },
    element("p", { class: "name" }, `${row}${titleOf(fact, item)} · ${periodWord(fact.period)}`),
    element("p", { class: "number" }, fact.value ?? "–", element("small", {}, unitName(fact.unit))),
    bounds ? element("p", { class: "meta" }, bounds) : null,
    element("p", { class: "meta" }, completeness(fact), " ", element("span", {}, `${word("as-of")}\u00a0${dateOf(fact.known_from).slice(5)}\u00a0${timeOf(fact.known_from)}`)),
  );
}

function completeness(fact) {
  return element("span", { class: fact.complete ? "" : "part" }, `${word("complete")} ${fact.have}/${fact.want}`);
}

const COLUMNS = 3;

// One row for every city, one column for every figure that cities have.
function showCities(facts, known) {
  const columns = new Map(); // indicator and period → fact by city
  const cities = new Map();
  for (const fact of facts) {
    const key = `${fact.indicator} ${fact.period}`;
    if (!columns.has(key)) columns.set(key, new Map());
    columns.get(key).set(fact.area, fact);
    cities.set(fact.area, pick(fact.area_name, fact.area_name_en) ?? fact.area);
  }
  const shown = [...columns.values()].sort((a, b) => plain(b, known) - plain(a, known)).slice(0, COLUMNS);
  const head = element("tr", {}, element("th", { scope: "col" }, word("city")), ...shown.map((byCity) => heading(byCity, known)));
  const body = [...cities.keys()].sort().map((code) =>
    element("tr", {}, element("th", { scope: "row" }, cities.get(code).replace(/市$| City$/, "")), ...shown.map((byCity) => cell(byCity.get(code)))));
  byId("cities").replaceChildren(...(cities.size ? [element("thead", {}, head), element("tbody", {}, ...body)] : []));
}

// What moves by the hour first; rows of the Plan have their cards.
function plain(byCity, known) {
  const some = byCity.values().next().value;
  return (known.get(some.indicator)?.plan_row ? 0 : 10) - ORDER.indexOf(some.period);
}

function heading(byCity, known) {
  const some = byCity.values().next().value;
  const title = `${titleOf(some, known.get(some.indicator))} · ${periodWord(some.period)}`;
  return element("th", { scope: "col", title: `${title} · ${some.start}` }, title, element("small", {}, `${unitName(some.unit)} ${timeOf(some.period === "state" ? some.known_from : some.end)}`));
}

function cell(fact) {
  if (!fact) return element("td", {}, "–");
  const mark = fact.complete ? null : element("small", { class: "part" }, `${fact.have}/${fact.want}`);
  return element("td", { title: `${fact.start} · ${fact.have}/${fact.want}` }, mark, fact.value ?? "–");
}
