// The counties as SVG: colour by risk, a character for every raised colour, hatching when unknown.

import { byId, element, shape } from "./dom.js";
import { layTiles, short, tileName } from "./tiles.js";
import { isEnglish, levelName, pick, sign, word } from "./words.js";

const WIDTH = 1000;
const NAMED_LEVEL = "city";
const NAME_ROOM = 40;
const counties = new Map(); // code → {properties, path, hatch, label}
const cityLabels = [];
const tileLabels = []; // [text, properties]
let choose = () => {};

export function drawMap(collection, onChoose) {
  choose = onChoose;
  const svg = byId("map");
  svg.replaceChildren();
  counties.clear();
  cityLabels.length = tileLabels.length = 0;
  const shaped = collection.features.filter((feature) => rings(feature.geometry).length > 0);
  const { project, height } = projection(shaped);
  svg.append(hatching());
  const layers = ["shapes", "hatches", "borders", "labels"].map((name) => shape("g", { class: name }));
  svg.append(...layers);
  for (const feature of shaped) {
    const { level } = feature.properties;
    if (level === "county") drawCounty(feature, pathOf(feature.geometry, project), project(placeOf(feature)), layers);
    else if (level === NAMED_LEVEL) drawCity(feature, project, layers);
  }
  const tall = height + drawTiles(collection.features, height, layers);
  svg.setAttribute("viewBox", `-4 -4 ${WIDTH + 8} ${tall + 8}`);
  const first = counties.values().next().value;
  if (first) first.path.setAttribute("tabindex", "0");
  drawLegend();
  offerCounties();
}

// The same choice as a list, for who cannot point at a small county.
export function offerCounties() {
  const sorted = [...counties].sort(([one], [other]) => one.localeCompare(other));
  byId("county-pick").replaceChildren(
    element("option", { value: "" }, word("choose-county")),
    ...sorted.map(([code, { properties }]) => element("option", { value: code }, pick(properties.name, properties.name_en))),
  );
  byId("county-pick").onchange = (event) => {
    event.target.focus(); // where the county's panel gives the focus back to
    if (event.target.value) choose(event.target.value);
  };
}

export function paint(areas) {
  for (const [code, county] of counties) {
    const risk = known(areas[code], county.properties);
    const unknown = !risk || risk.unknown;
    county.path.setAttribute("class", `county ${risk ? `r${risk.rank}` : "none"}${county.chosen ? " chosen" : ""}`);
    county.hatch.setAttribute("class", `hatch${unknown && risk ? " on" : ""}`);
    const raised = risk && risk.rank > 0;
    county.label.textContent = raised ? sign(risk.rank) + (unknown ? "?" : "") : risk && unknown ? "?" : "";
    county.path.setAttribute("aria-label", spoken(county.properties, risk, unknown));
    county.title.textContent = spoken(county.properties, risk, unknown);
  }
  for (const [label, properties] of tileLabels) label.textContent = short(properties);
  for (const [label, properties, x, y] of cityLabels) {
    const name = pick(properties.name.replace(/市$/, ""), properties.name_en.replace(/ City$/, ""));
    label.textContent = covered(x, y) ? "" : name;
  }
}

// A green that nothing stands behind is none: a county without points was never judged.
const known = (risk, properties) => (risk && (risk.rank > 0 || risk.unknown || properties.points !== 0) ? risk : undefined);

// A city's name gives way to the sign of a county.
function covered(x, y) {
  return [...counties.values()].some((county) => county.label.textContent && Math.hypot(county.x - x, county.y - y) < NAME_ROOM);
}

export function markChosen(code) {
  byId("county-pick").value = code ?? "";
  for (const [own, county] of counties) {
    county.chosen = own === code;
    county.path.classList.toggle("chosen", county.chosen);
  }
}

export function countyProperties(code) {
  return counties.get(code)?.properties;
}

export function drawLegend() {
  const rows = [4, 3, 2, 1, 0].map((rank) => legendRow(`r${rank}`, levelName(rank)));
  rows.push(legendRow("none", word("unjudged")), legendRow("r0", word("unknown"), true));
  byId("legend").replaceChildren(...rows);
}

function legendRow(kind, text, hatched = false) {
  const box = shape("svg", { viewBox: "0 0 26 14", "aria-hidden": "true" }, shape("rect", { width: 26, height: 14, class: `swatch ${kind}` }));
  if (hatched) box.append(shape("rect", { width: 26, height: 14, fill: "url(#unknown)" }));
  return element("li", {}, box, element("span", {}, text));
}

function spoken(properties, risk, unknown) {
  const name = pick(properties.name, properties.name_en);
  if (!risk) return `${name}: ${word("unjudged")}`;
  const colon = isEnglish() ? ": " : "：";
  return `${name}${colon}${levelName(risk.rank)}${unknown ? ` · ${word("unknown-short")}` : ""} · ${word("alerts")} ${risk.open}`;
}

// What has no borders must not be missing: as tiles, and the page says so. Their height.
function drawTiles(features, top, layers) {
  const without = features.filter((feature) => feature.properties.level === "county" && !rings(feature.geometry).length);
  byId("map-tiles").hidden = without.length === 0;
  byId("map-box").classList.toggle("tiled", without.length > 0);
  byId("map-sketch").hidden = without.length > 0 && top === 0;
  if (!without.length) return 0;
  const laid = layTiles(without, features.filter((feature) => feature.properties.level === NAMED_LEVEL), top && top + NAME_ROOM);
  for (const tile of laid.tiles) {
    drawCounty(tile.feature, tile.outline, [tile.x, tile.y], layers);
    const label = tileName(tile);
    layers[3].append(label);
    tileLabels.push([label, tile.feature.properties]);
  }
  for (const { properties, x, y } of laid.cities) nameCity(properties, x, y, layers[3]);
  return laid.height + (top && NAME_ROOM);
}

function drawCounty(feature, outline, [x, y], [shapes, hatches, , labels]) {
  const code = feature.id;
  const title = shape("title");
  const path = shape("path", {
    d: outline, class: "county", role: "button", tabindex: "-1", "data-code": code,
    on: { click: () => choose(code), keydown: (event) => steer(event, code) },
  }, title);
  const hatch = shape("path", { d: outline, class: "hatch" });
  const label = shape("text", { x, y });
  shapes.append(path);
  hatches.append(hatch);
  labels.append(label);
  counties.set(code, { properties: feature.properties, path, hatch, label, title, x, y, chosen: false });
}

function drawCity(feature, project, [, , borders, labels]) {
  borders.append(shape("path", { d: pathOf(feature.geometry, project), class: "city" }));
  const [x, y] = project(placeOf(feature));
  nameCity(feature.properties, x, y + 27, labels);
}

function nameCity(properties, x, y, labels) {
  const label = shape("text", { x, y, class: "name" });
  labels.append(label);
  cityLabels.push([label, properties, x, y]);
}

// Enter or space opens a county; arrows go to the nearest one in that direction.
function steer(event, code) {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "Enter" || event.key === " ") choose(code);
  else if (ways[event.key]) move(code, ways[event.key]);
  else return;
  event.preventDefault();
}

function move(code, [wayX, wayY]) {
  const here = counties.get(code);
  let best = null;
  let least = Infinity;
  for (const county of counties.values()) {
    const dx = county.x - here.x;
    const dy = county.y - here.y;
    const along = dx * wayX + dy * wayY;
    const across = Math.abs(dx * wayY) + Math.abs(dy * wayX);
    if (along <= 0 || along + 2 * across >= least) continue;
    best = county;
    least = along + 2 * across;
  }
  if (!best) return;
  here.path.setAttribute("tabindex", "-1");
  best.path.setAttribute("tabindex", "0");
  best.path.focus();
}

// Without any shape nothing is placed, and the height is 0.
function projection(features) {
  if (!features.length) return { project: null, height: 0 };
  const points = features.flatMap((feature) => rings(feature.geometry).flat());
  const west = Math.min(...points.map((p) => p[0]));
  const east = Math.max(...points.map((p) => p[0]));
  const south = Math.min(...points.map((p) => p[1]));
  const north = Math.max(...points.map((p) => p[1]));
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = WIDTH / ((east - west) * shrink);
  const project = ([lon, lat]) => [round((lon - west) * shrink * scale), round((north - lat) * scale)];
  return { project, height: (north - south) * scale };
}

const round = (number) => Math.round(number * 10) / 10;

function rings(geometry) {
  if (!geometry) return [];
  return geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
}

// The area's own point, else the middle of its borders.
function placeOf({ properties, geometry }) {
  if (properties.lon !== null && properties.lat !== null) return [properties.lon, properties.lat];
  const points = rings(geometry).flat();
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}

function pathOf(geometry, project) {
  return rings(geometry).map((ring) => `M${ring.map((point) => project(point).join(" ")).join("L")}Z`).join("");
}

function hatching() {
  const lines = shape("path", { d: "M-2 2l4-4M0 8l8-8M6 10l4-4", stroke: "#05080c", "stroke-width": 2.6, opacity: 0.75 });
  return shape("defs", {}, shape("pattern", { id: "unknown", width: 8, height: 8, patternUnits: "userSpaceOnUse" }, lines));
}
