// Whether what the page shows is the present: the state at the top, and a strip that says since when not.

import { isUp, lastWord, serverNow } from "./connection.js";
import { between, byId, count, element, momentOf, say, span } from "./dom.js";
import { isEnglish, word } from "./words.js";

const RECORDED = ["replay", "verify"]; // they end by nature
const DAY_S = 86400;

// { level: ok | slow | bad, key, since } of the page's state; `since` in the server's words.
export function judge(state) {
  const fresh = state.freshness;
  const limits = state.patience;
  if (!isUp()) return lastWord() ? { level: "bad", key: "lost", since: lastWord() } : { level: "slow", key: "connecting" };
  if (!limits) return { level: "slow", key: "connecting" };
  if (state.trouble || secondsSince(state.looked) > limits.lost_s) return { level: "bad", key: "database", since: state.looked };
  if (!fresh?.newest_event) return { level: "slow", key: "waiting" };
  const standing = secondsSince(state.taken) ?? 0;
  const silent = between(fresh.newest_event, fresh.as_of) ?? 0;
  const still = { key: "standing", since: state.taken };
  if (standing >= limits.standing_bad_s && !RECORDED.includes(fresh.kind)) return { level: "bad", ...still };
  if (silent >= limits.silent_bad_s) return { level: "bad", key: "silent-feed", age: silent };
  if (standing >= limits.standing_slow_s) return { level: "slow", ...still };
  if (silent >= limits.silent_slow_s) return { level: "slow", key: "silent-feed", age: silent };
  return fresh.lag_records > limits.behind_records ? { level: "slow", key: "behind" } : { level: "ok", key: "ok" };
}

export function showFreshness(state) {
  const found = judge(state);
  const moves = found.level !== "bad" && found.key !== "standing";
  const sign = { ok: "●", slow: "▲", bad: "✕" }[found.level];
  byId("state").className = found.level;
  say(byId("state"), `${sign} ${word(found.key)}`);
  document.body.classList.toggle("old", found.level === "bad");
  const { speed, readings_per_s: rate } = moves ? state.rates : {};
  say(byId("clock"), momentOf(state.freshness?.as_of));
  say(byId("speed"), speed === null || speed === undefined ? "–" : `×${Math.round(speed * 10) / 10}`);
  say(byId("rate"), rate === null || rate === undefined ? "–" : count(Math.round(rate)));
  say(byId("lag"), count(state.freshness?.lag_records));
  say(byId("age"), span(age(state.freshness)));
  showStrip(found);
}

// Of the newest reading, by the namespace's clock; the live one goes on when the stream stands.
function age(fresh) {
  const seconds = between(fresh?.newest_event, fresh?.as_of);
  if (seconds === null || fresh.kind !== "live") return seconds;
  return seconds + (secondsSince(fresh.as_of) ?? 0);
}

function showStrip(found) {
  const told = found.since || found.age !== undefined;
  byId("trouble").hidden = !told;
  byId("trouble").className = `trouble ${found.level}`;
  if (!told) return say(byId("trouble-kind"), "");
  const seconds = found.age ?? secondsSince(found.since);
  say(byId("trouble-kind"), word(found.key));
  const counted = element("span", { class: "count" }, span(seconds, true));
  const means = word(`${found.key}-means`);
  const [open, close] = isEnglish() ? [" (", "): "] : ["（", "）："];
  const since = `${word("since-when")} ${found.since ? moment(found.since, seconds) : ""}${word("up-to-now")}`;
  byId("trouble-text").replaceChildren(...(found.since ? [since, open, counted, close, means] : [means, " ", counted]));
  return undefined;
}

const moment = (iso, seconds) => (seconds < DAY_S / 2 ? momentOf(iso).slice(11) : momentOf(iso));

function secondsSince(iso) {
  const now = serverNow();
  return iso && now !== null ? Math.max(0, (now - Date.parse(iso)) / 1000) : null;
}
