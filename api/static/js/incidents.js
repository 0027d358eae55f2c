// Open alerts put together into incidents, on one screen: a line opens into incidents, these into alerts.

import { alertRow } from "./alerts.js";
import { between, byId, count, element, fetchJson, span, timeOf } from "./dom.js";
import { domainTitle } from "./domains.js";
import { pick, sign, word } from "./words.js";

const AGAIN_MS = 4000;
const MOST = 50;
const RANKS = [["red", 4], ["orange", 3], ["yellow", 2], ["blue", 1]];
const opened = new Map(); // key: { at, items, more }
let again = () => {};

export function showIncidents(screen, namespace, now, onAlert) {
  const list = byId("alert-list");
  again = () => showIncidents(screen, namespace, now, onAlert);
  byId("counts").replaceChildren(...counted(screen.by_severity));
  const focused = document.activeElement?.closest?.("#alert-list li")?.dataset.id;
  const rows = screen.lines.map((line) => lineRow(line, namespace, now, onAlert));
  const rest = notGrouped(screen);
  if (rest) rows.push(rest);
  if (!rows.length) rows.push(element("li", { class: "empty" }, word("no-alerts")));
  list.replaceChildren(...rows);
  if (focused) list.querySelector(`li[data-id="${CSS.escape(focused)}"] button`)?.focus();
}

function lineRow(line, namespace, now, onAlert) {
  if (line.incident) return incidentRow({ ...line, id: line.incident }, namespace, now, onAlert);
  const domain = line.domain ? pick(line.domain_zh, line.domain_en) : word("several-domains");
  const area = line.area ? pick(line.area_name, line.area_name_en) ?? line.area : word("everywhere");
  const key = ["line", line.status, line.domain, line.area].join(" ");
  const ask = { namespace, area: line.area, domain: line.domain, status: line.status, at_most: line.at_most, limit: MOST };
  if (line.at_least !== "green") ask.severity = line.at_least;
  return row(key, line, `${area} · ${domain}`, counties(line), now, {
    ask: () => fetchJson("incidents", ask),
    draw: (item) => incidentRow(item, namespace, now, onAlert),
  });
}

function incidentRow(incident, namespace, now, onAlert) {
  const domain = pick(incident.domain_zh, incident.domain_en) ?? domainTitle(incident.domain);
  const area = pick(incident.area_name, incident.area_name_en) ?? incident.area;
  return row(`incident ${incident.id}`, incident, `${area} · ${domain}`, "", now, {
    ask: () => fetchJson(`incidents/${incident.id}/alerts`, { namespace, limit: MOST }),
    draw: (member) => memberRow(member, now, onAlert),
  });
}

// What people have silenced or closed by hand stands last.
const quiet = ({ alert }) => Number(Boolean(alert?.acted?.silenced_until || alert?.acted?.closed_as));

function memberRow(member, now, onAlert) {
  const drawn = alertRow(member.alert, now, onAlert);
  const mark = member.hidden_by ? "hidden" : member.alert.state === "resolved" ? "ended" : null;
  if (mark) drawn.querySelector(".what").append(" ", element("span", { class: `mark ${mark}` }, word(mark)));
  return drawn;
}

function row(key, item, place, where, now, inside) {
  const held = opened.get(key);
  const rank = item.severity.rank;
  const counts = RANKS.filter(([name]) => item.by_severity[name]).map(([name, each]) => `${sign(each)} ${count(item.by_severity[name])}`);
  if (item.hidden) counts.push(`${word("hidden")} ${count(item.hidden)}`);
  if (item.ended) counts.push(`${word("ended")} ${count(item.ended)}`);
  const button = element(
    "button", { type: "button", class: "group", "aria-expanded": String(Boolean(held)), on: { click: () => toggle(key, inside) } },
    element("span", { class: `level l${rank}` }, sign(rank)),
    element("span", { class: "place", title: place }, place, " ", ...statusMark(item.status)),
    element("span", { class: "value" }, item.open ? `${count(item.open)} ${word(item.open === 1 ? "alert-unit" : "alerts-unit")}` : word("quiet-now")),
    element("span", { class: "what" }, [where, ...counts].filter(Boolean).join(" · ")),
    element("span", { class: "since" }, `${timeOf(item.began)} · ${span(between(item.began, now))}`),
  );
  if (held && Date.now() - held.at > AGAIN_MS) load(key, inside);
  return element("li", { "data-id": key }, button, held ? insideList(held, inside) : null);
}

function insideList(held, inside) {
  const rows = [...held.items].sort((a, b) => quiet(a) - quiet(b)).map(inside.draw);
  if (!held.items.length) rows.push(element("li", { class: "empty" }, "…"));
  if (held.more) rows.push(element("li", { class: "quiet rest" }, word("more-below")));
  return element("ol", { class: "alert-list inside" }, ...rows);
}

function toggle(key, inside) {
  if (opened.delete(key)) return again();
  opened.set(key, { at: 0, items: [], more: false });
  again();
  return undefined;
}

async function load(key, inside) {
  const held = opened.get(key);
  held.at = Date.now();
  try {
    const { items, next } = await inside.ask();
    if (!opened.has(key)) return;
    opened.set(key, { at: Date.now(), items, more: Boolean(next) });
    again();
  } catch (error) {
    console.warn(error.message); // the state at the top tells people
  }
}

function counties(line) {
  const found = [`${count(line.incidents)} ${word("incidents-unit")}`];
  if (line.counties) found.push(`${count(line.counties)} ${word("areas")}`);
  return found.join(" · ");
}

// What is not in any incident (yet) must not go unseen.
function notGrouped(screen) {
  if (!screen.not_grouped && !screen.pending) return null;
  const parts = [];
  if (screen.not_grouped) parts.push(`${word("not-grouped")} ${count(screen.not_grouped)}`);
  if (screen.pending) parts.push(`${word("pending")} ${count(screen.pending)}`);
  const rank = screen.not_grouped_severity.rank;
  return element("li", { class: "rest", "data-id": "rest" }, rank ? element("span", { class: `level small l${rank}` }, sign(rank)) : null, " ", parts.join(" · "));
}

const statusMark = (status) => (status === "Test" ? [element("span", { class: "mark" }, word("test"))] : []);

function counted(counts) {
  return RANKS.filter(([name]) => counts[name]).map(([name, rank]) =>
    element("li", {}, element("span", { class: `level small l${rank}` }, sign(rank)), count(counts[name])));
}
