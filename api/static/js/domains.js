// One domain at a time: tabs over the map; map, alerts, figures and county follow the chosen one.

import { byId, element, fetchJson } from "./dom.js";
import { pick, word } from "./words.js";

const ALERTS_EVERY_MS = 2000;
let known = [];
let chosen = new URLSearchParams(location.search).get("domain");
let onChange = () => {};
let own = null; // {namespace, at, screen} of the chosen domain
let asking = false;

export async function loadDomains(onChoice) {
  onChange = onChoice;
  known = (await fetchJson("domains")).items;
  if (!known.some((domain) => domain.name === chosen)) chosen = null;
  drawTabs();
}

export const chosenDomain = () => known.find((domain) => domain.name === chosen) ?? null;

export function domainTitle(name) {
  const domain = known.find((one) => one.name === name);
  return domain ? pick(domain.title_zh, domain.title_en) : name;
}

export function propertyTitle(name) {
  const property = known.flatMap((domain) => domain.properties).find((one) => one.name === name);
  return property ? pick(property.title_zh, property.title_en) : name;
}

export function drawTabs() {
  const tabs = [null, ...known.map((domain) => domain.name)];
  byId("domains").replaceChildren(...tabs.map((name) =>
    element("button", {
      type: "button", "aria-pressed": String(name === chosen), "data-domain": name ?? "",
      on: { click: () => choose(name) },
    }, name === null ? word("composite") : domainTitle(name))));
}

function choose(name) {
  chosen = name;
  own = null;
  const query = new URLSearchParams(location.search);
  if (name) query.set("domain", name);
  else query.delete("domain");
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  drawTabs();
  byId("domains").querySelector(`[data-domain="${CSS.escape(name ?? "")}"]`)?.focus();
  onChange();
}

// What the map paints: the composite, or what the chosen domain says of every area.
export function paintedAreas(areas) {
  if (!chosen) return areas;
  return Object.fromEntries(Object.entries(areas).flatMap(([code, risk]) => {
    const share = risk.domains?.[chosen];
    return share ? [[code, { ...share, unknown: risk.unknown || (share.open > 0 && share.stale === share.open) }]] : [];
  }));
}

// The screen of all open incidents, or one of the chosen domain, which is asked for apart.
export async function domainScreen(namespace, all) {
  if (!chosen) return all;
  if (!asking && (own?.namespace !== namespace || Date.now() - own.at > ALERTS_EVERY_MS)) {
    asking = true;
    const domain = chosen;
    try {
      const screen = await fetchJson("incidents/screen", { namespace, domain });
      if (domain === chosen) own = { namespace, at: Date.now(), screen };
    } finally {
      asking = false;
    }
  }
  return own?.screen ?? null;
}

export function ownFigures(figures, catalogue) {
  if (!chosen) return figures;
  const mine = new Set(catalogue.filter((item) => item.domain === chosen).map((item) => item.indicator));
  return figures.filter((fact) => mine.has(fact.indicator));
}

export function isOwnPoint(point) {
  const domain = chosenDomain();
  return !domain || domain.point_types.some((type) => type.name === point.type);
}
