// Official warnings in force: context above our own alerts, marked as what they are.

import { byId, dateOf, element, fetchJson, timeOf } from "./dom.js";
import { sign, word } from "./words.js";

const EVERY_MS = 15000;
const MOST = 6;
let items = [];

export function followWarnings(namespace) {
  const look = async () => {
    try {
      ({ items } = await fetchJson("warnings", { namespace, limit: 50 }));
    } catch (error) {
      console.warn(error.message); // the last ones stay; the state at the top tells people
    }
    showWarnings();
  };
  setInterval(look, EVERY_MS);
  return look();
}

export function showWarnings() {
  const list = byId("warning-list");
  list.hidden = items.length === 0;
  const worst = [...items].sort((one, other) => rankOf(other) - rankOf(one));
  list.replaceChildren(...worst.slice(0, MOST).map(warningRow));
  if (worst.length > MOST) {
    list.append(element("li", { class: "quiet" }, `${word("more")} ${worst.length - MOST} ${word("more-warnings")}`));
  }
}

const rankOf = (item) => item.severity?.rank ?? 0;

function warningRow(item) {
  const rank = rankOf(item);
  const issuer = item.issuers.join("、");
  const badge = [element("span", { class: "mark official" }, word("official"))];
  if (item.status !== "Actual") badge.push(" ", element("span", { class: "mark" }, item.status));
  const day = dateOf(item.sent) === dateOf(item.expires) ? "" : `${dateOf(item.expires).slice(5)} `;
  const until = `${timeOf(item.sent)} → ${day}${timeOf(item.expires)}${item.expires_stated ? "" : " *"}`;
  return element(
    "li", { "data-id": item.id, title: [item.headline, item.description].filter(Boolean).join("\n") },
    element("span", { class: `level ${rank ? `l${rank}` : "unknown"}` }, rank ? sign(rank) : "–"),
    element("span", { class: "place" }, `${item.event || item.headline} · ${item.area_text || item.areas.join(" ")}`),
    element("span", { class: "value" }, ...badge),
    element("span", { class: "what" }, issuer),
    element("span", { class: "since", title: item.expires_stated ? "" : word("house-end") }, until),
  );
}
