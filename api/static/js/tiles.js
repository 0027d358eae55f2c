// Counties whose borders are not known, as tiles in rows by city: in order, not in their place.

import { shape } from "./dom.js";
import { pick } from "./words.js";

const COLUMNS = 8;
const FIRST = 96; // room for the city's name
const WIDE = 113;
const TALL = 76;
const GAP = 5;

// { height, tiles: [{ feature, outline, x, y }], cities: [{ properties, x, y }] }, from `top` down.
export function layTiles(counties, cities, top) {
  const rows = [];
  const names = [];
  const cityOf = (code) => cities.find((city) => city.id.slice(0, 4) === code.slice(0, 4));
  const sorted = [...counties].sort((one, other) => one.id.localeCompare(other.id));
  let row = -1;
  let column = 0;
  let last = null;
  for (const feature of sorted) {
    const group = feature.id.slice(0, 4);
    if (group !== last || column === COLUMNS) { row += 1; column = 0; }
    const y = top + row * TALL;
    if (group !== last && cityOf(feature.id)) names.push({ properties: cityOf(feature.id).properties, x: FIRST / 2, y: y + TALL / 2 });
    const x = FIRST + column * WIDE;
    rows.push({ feature, outline: box(x, y), x: x + (WIDE - GAP) / 2, y: y + 24 });
    last = group;
    column += 1;
  }
  return { height: (row + 1) * TALL, tiles: rows, cities: names };
}

export function tileName(tile) {
  return shape("text", { x: tile.x, y: tile.y + 32, class: "name tile" }, short(tile.feature.properties));
}

export const short = (properties) => pick(properties.name, properties.name_en?.replace(/ (District|County|City).*$/, "")).slice(0, 9);

const box = (x, y) => `M${x} ${y}h${WIDE - GAP}v${TALL - GAP}h${GAP - WIDE}Z`;
