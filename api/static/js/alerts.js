// One alert on a line.

import { between, element, shortDecimal, span, timeOf } from "./dom.js";
import { pick, sign, word } from "./words.js";

export function alertRow(alert, now, onChoose) {
  const area = pick(alert.area_name, alert.area_name_en) ?? alert.area;
  const marks = ["stale", "unverified"].filter((mark) => alert[mark]);
  if (alert.state === "pending") marks.push("pending");
  marks.push(...actedMarks(alert.acted));
  const title = pick(alert.title_zh, alert.title_en);
  const what = element("span", { class: "what" }, title);
  for (const mark of marks) what.append(" ", element("span", { class: `mark ${mark}` }, word(mark)));
  const limit = alert.threshold === null ? "" : ` / ${alert.threshold}`;
  const value = alert.value === null ? "–" : `${shortDecimal(alert.value, alert.threshold)}${limit} ${alert.unit}`;
  const subject = alert.point_name ?? alert.subject.replace(/^area:\d+$/, "").replace(/^gateway:/, "⛭ ");
  const place = subject.startsWith(area) || !subject ? subject || area : `${area} · ${subject}`;
  return element(
    "li", { "data-id": alert.id },
    element(
      "button", { type: "button", class: alert.state, on: { click: () => onChoose(alert) } },
      element("span", { class: `level l${alert.severity.rank}${alert.stale ? " unknown" : ""}` }, sign(alert.severity.rank)),
      element("span", { class: "place", title: place }, place),
      element("span", { class: "value", title: `${alert.value ?? ""} · ${word("at-change")} ${timeOf(alert.updated)}` }, value),
      what,
      element("span", { class: "since" }, `${timeOf(alert.onset)} · ${span(between(alert.onset, now))}`),
    ),
  );
}

function actedMarks(acted) {
  if (!acted) return [];
  const marks = [];
  if (acted.stands_out) marks.push("not-done");
  if (["ordered", "confirmed"].includes(acted.closure_state)) marks.push("road-closed");
  if (acted.closure_state === "advised") marks.push("road-advised");
  if (acted.closed_as) marks.push(acted.close_state === "closing" ? "closing" : "by-hand");
  else if (acted.acknowledged_by) marks.push("acknowledged");
  if (acted.silenced_until) marks.push("silenced");
  return marks;
}
