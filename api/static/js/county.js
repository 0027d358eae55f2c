// One county: its freshness, open alerts, points, and the course of the chosen point.

import { alertRow } from "./alerts.js";
import { byId, element, fetchJson, plainDecimal, shape, span, timeOf } from "./dom.js";
import { chosenDomain, domainTitle, isOwnPoint, propertyTitle } from "./domains.js";
import { countyProperties } from "./map.js";
import { pick, sign, word } from "./words.js";

const SHOWN_POINTS = 60;
const HOURS = 3;
const CHART = { width: 440, height: 128, left: 8, right: 8, top: 18, bottom: 20 };
const METRES = { m: 1, cm: 0.01, mm: 0.001 };
let shown = null; // {namespace, code, point, property}

export async function openCounty(namespace, code, point = null, returnTo = document.activeElement) {
  if (shown?.code !== code) {
    const { name, name_en: english } = countyProperties(code) ?? { name: code };
    byId("county-title").textContent = pick(name, english);
    byId("county-body").replaceChildren(element("p", { class: "empty" }, "…"));
  }
  shown = { namespace, code, point, returnTo: shown?.returnTo ?? returnTo };
  byId("county").hidden = false;
  byId("county").focus();
  try {
    await refreshCounty();
  } catch (error) {
    console.warn(error.message); // asked again soon; the state at the top tells people
  }
}

export function closeCounty() {
  const back = shown?.returnTo;
  shown = null;
  byId("county").hidden = true;
  back?.focus?.();
}

export const openedCounty = () => shown?.code ?? null;

export async function refreshCounty() {
  if (!shown) return;
  const { namespace, code } = shown;
  const [detail, points, alerts] = await Promise.all([
    fetchJson(`areas/${code}`, { namespace }),
    fetchJson("points", { namespace, area: code, limit: 1000 }),
    fetchJson("alerts", { namespace, area: code, limit: 50, domain: chosenDomain()?.name }),
  ]);
  if (shown?.code !== code) return;
  const sorted = points.items.filter(isOwnPoint).sort(worstFirst);
  const chosen = sorted.find((p) => p.id === shown.point) ?? sorted.find((p) => p.latest.length) ?? null;
  const course = chosen ? await courseOf(namespace, chosen, alerts.items, points.freshness.as_of) : [];
  if (shown?.code !== code) return;
  byId("county-title").textContent = pick(detail.area.name, detail.area.name_en);
  byId("county-body").replaceChildren(
    summary(detail.area), ...shares(detail.area), element("div", { id: "course" }, ...course),
    ...alertSection(alerts.items, points.freshness.as_of),
    ...pointSection(sorted, chosen),
  );
}

const worstFirst = (a, b) => b.tier.rank - a.tier.rank || Number(b.stale) - Number(a.stale) || height(b) - height(a) || a.id.localeCompare(b.id);
const height = (point) => (point.latest[0]?.property === "depth" ? point.latest[0].value.number : -1);

function summary(area) {
  const rank = area.risk?.rank ?? null;
  return element(
    "p", { class: "facts-line" },
    element("span", { class: `level l${rank}${area.unknown ? " unknown" : ""}` }, rank === null ? "–" : sign(rank)),
    area.led_by ? element("span", {}, `${word("led-by")} ${domainTitle(area.led_by)}${area.compound ? ` ${word("compound")}` : ""}`) : null,
    area.unknown ? element("span", { class: "mark stale" }, word("unknown-short")) : null,
    element("span", { class: "quiet" }, `${word("fresh")} ${span(area.age_s)}${word("ago") === "前" ? "" : " "}${word("ago")} · ${word("points")} ${area.points}`),
  );
}

// What every domain says, and how fresh it is.
function shares(area) {
  if (!area.by_domain.length) return [];
  return [element("ul", { class: "shares" }, ...area.by_domain.map((one) => element(
    "li", {},
    element("span", { class: `level small l${one.risk.rank}` }, sign(one.risk.rank)),
    element("span", {}, domainTitle(one.domain)),
    element("span", { class: "quiet" }, one.as_of ? span(one.age_s) : "–"),
  )))];
}

function alertSection(alerts, now) {
  if (!alerts.length) return [];
  const rows = alerts.slice(0, 8).map((alert) => alertRow(alert, now, () => choosePoint(alert.point)));
  return [element("h3", {}, `${word("county-alerts")} · ${alerts.length}`), element("ol", { class: "alert-list" }, ...rows)];
}

function pointSection(points, chosen) {
  const rows = points.slice(0, SHOWN_POINTS).map((point) => pointRow(point, point === chosen));
  const rest = points.length - rows.length;
  return [
    element("h3", {}, `${word("points")} · ${points.length}`),
    element("div", { class: "points" }, ...rows),
    rest > 0 ? element("p", { class: "quiet" }, `${word("more")} ${rest} ${word("more-points")}`) : "",
  ];
}

function pointRow(point, pressed) {
  const latest = point.latest[0];
  const silent = latest?.silent ? element("span", { class: "mark stale" }, word("silent")) : null;
  return element(
    "button", { type: "button", "aria-pressed": String(pressed), on: { click: () => choosePoint(point.id) } },
    element("span", { class: `level small l${point.tier.rank}${point.stale ? " unknown" : ""}` }, sign(point.tier.rank)),
    element("span", { class: "point-name" }, point.name),
    element("span", { class: "value" }, latest ? `${plainDecimal(latest.value.text)} ${latest.unit}` : "–", latest && latest.flag > 2 ? ` ⚑${latest.quality}` : null),
    element("span", { class: "age" }, silent ?? (latest ? span(latest.age_s) : "")),
  );
}

async function choosePoint(id) {
  if (!shown || !id) return;
  shown.point = id;
  await refreshCounty();
  byId("county-body").scrollTo(0, 0);
}

async function courseOf(namespace, point, alerts, asOf) {
  const latest = point.latest[0];
  if (!latest || !asOf) return [];
  const end = new Date(Date.parse(asOf));
  const given = { namespace, point: point.id, property: latest.property, to: end.toISOString(), limit: 1000 };
  const minutes = await fetchJson("readings", { ...given, size: "60", from: new Date(end - HOURS * 3.6e6).toISOString() });
  const series = minutes.windows.length > 1 ? minutes
    : await fetchJson("readings", { ...given, size: "3600", from: new Date(end - 24 * 3.6e6).toISOString() });
  const windows = series.windows.filter((window) => window.high !== null);
  const limit = limitIn(latest.unit, alerts.find((alert) => alert.point === point.id));
  return [
    element("h3", {}, `${point.name} · ${propertyTitle(latest.property)} (${latest.unit}) · ${word("chart")}`),
    windows.length > 1 ? chart(windows, limit) : element("p", { class: "quiet" }, word("no-series")),
  ];
}

// The threshold of an alert on the scale of the readings; null when the units do not compare.
function limitIn(unit, alert) {
  if (!alert || alert.threshold === null) return null;
  if (alert.unit === unit) return Number(alert.threshold);
  return METRES[alert.unit] && METRES[unit] ? (Number(alert.threshold) * METRES[alert.unit]) / METRES[unit] : null;
}

function chart(windows, limit) {
  const times = windows.map((window) => Date.parse(window.start));
  const highs = windows.map((window) => window.high.number);
  const top = Math.max(...highs, limit ?? 0, 1e-9) * 1.08;
  const width = CHART.width - CHART.left - CHART.right;
  const tall = CHART.height - CHART.top - CHART.bottom;
  const x = (time) => (CHART.left + ((time - times[0]) / (times.at(-1) - times[0] || 1)) * width).toFixed(1);
  const y = (value) => (CHART.top + tall - (value / top) * tall).toFixed(1);
  const line = highs.map((value, i) => `${x(times[i])} ${y(value)}`).join("L");
  const base = CHART.top + tall;
  const parts = [
    shape("path", { class: "area", d: `M${x(times[0])} ${base}L${line}L${x(times.at(-1))} ${base}Z` }),
    shape("path", { class: "line", d: `M${line}` }),
    shape("text", { x: CHART.left, y: CHART.height - 6 }, timeOf(windows[0].start)),
    shape("text", { x: CHART.width - CHART.right, y: CHART.height - 6, "text-anchor": "end" }, timeOf(windows.at(-1).start)),
    shape("text", { x: CHART.width - CHART.right, y: 13, "text-anchor": "end" }, `max ${Math.max(...highs)}`),
  ];
  if (limit !== null) {
    parts.push(shape("line", { class: "limit", x1: CHART.left, x2: CHART.width - CHART.right, y1: y(limit), y2: y(limit) }));
    parts.push(shape("text", { x: CHART.left + 2, y: Number(y(limit)) - 4 }, `≥ ${limit}`));
  }
  return shape("svg", { class: "chart", viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": word("chart") }, ...parts);
}
