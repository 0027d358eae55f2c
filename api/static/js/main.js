// The start page: chooses a namespace, draws once, then follows the live events.

import { bePatient, follow } from "./connection.js";
import { closeCounty, openCounty, openedCounty, refreshCounty } from "./county.js";
import { byId, count, element, fetchJson, say, whenNobody } from "./dom.js";
import { chosenDomain, domainScreen, drawTabs, loadDomains, ownFigures, paintedAreas } from "./domains.js";
import { showFigures } from "./figures.js";
import { showFreshness } from "./freshness.js";
import { showIncidents } from "./incidents.js";
import { drawLegend, drawMap, markChosen, offerCounties, paint } from "./map.js";
import { begin, login, look } from "./session.js";
import { followWarnings, showWarnings } from "./warnings.js";
import { kindBanner, switchLanguage, translatePage, word } from "./words.js";

const COUNTY_EVERY_MS = 4000;
const AGAIN_MS = 3000;
const state = {
  areas: {}, incidents: null, figures: [], freshness: null, rates: {}, ledger: null,
  trouble: null, looked: null, taken: null, patience: null,
};
let namespace = null;
let catalogue = [];

async function start() {
  translatePage();
  byId("language").addEventListener("click", () => { switchLanguage(); drawLegend(); offerCounties(); markChosen(openedCounty()); drawTabs(); render(); showWarnings(); refreshOpened(); });
  byId("login-language").addEventListener("click", switchLanguage);
  byId("county-close").addEventListener("click", leaveCounty);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && openedCounty()) leaveCounty(); });
  whenNobody(refused);
  await persist(open);
  follow(namespace, { take, turn: renderClock, refused });
  followWarnings(namespace);
  setInterval(refreshOpened, COUNTY_EVERY_MS);
}

// Everything that the page is drawn from once.
async function open() {
  await begin();
  const found = await fetchJson("namespaces");
  namespace = chooseNamespace(found.items);
  offerNamespaces(found.items);
  catalogue = (await fetchJson("indicators")).items;
  await loadDomains(() => { render(); refreshOpened(); });
  await drawAreas();
}

// Again and again, also while the server is not there yet.
async function persist(act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      console.warn(error.message);
      byId("state").className = "bad";
      say(byId("state"), `✕ ${word("lost")}`);
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
    }
  }
}

async function refused() {
  if ((await look()).kind === "nobody") await login();
}

async function refreshOpened() {
  try {
    await refreshCounty();
  } catch (error) {
    console.warn(error.message); // the state at the top tells people, from the live events
  }
}

// The one in the address; else the default when it has data; else one that has; else the default.
function chooseNamespace(items) {
  const asked = new URLSearchParams(location.search).get("namespace");
  const own = items.find((item) => item.default);
  const filled = items.filter((item) => item.freshness.as_of);
  if (asked) return asked;
  if (own?.freshness.as_of) return own.name;
  return (filled.find((item) => item.freshness.kind === "simulated") ?? filled[0] ?? own ?? items[0])?.name ?? "citybrain";
}

function offerNamespaces(items) {
  const select = byId("namespace");
  select.replaceChildren(...items.map((item) =>
    element("option", { value: item.name, selected: item.name === namespace ? "" : null }, `${item.name} (${item.freshness.kind})`)));
  select.onchange = () => { location.search = `?namespace=${encodeURIComponent(select.value)}`; };
}

async function drawAreas() {
  drawMap(await fetchJson("areas", { namespace, format: "geojson", limit: 1000 }), chooseCounty);
}

function take(kind, sections) {
  if (kind === "beat") return;
  const areas = kind === "snapshot" ? sections.areas ?? {} : { ...state.areas, ...sections.areas };
  const unseen = Object.keys(areas).length > 0 && !document.querySelector("#map .county");
  Object.assign(state, sections, { areas });
  bePatient(state.patience.lost_s);
  render();
  if (unseen) drawAreas().then(render); // the registry came after the page
}

function chooseCounty(code, point = null) {
  markChosen(code);
  openCounty(namespace, code, point);
}

function leaveCounty() {
  markChosen(null);
  closeCounty();
}

function render() {
  renderClock();
  renderBanner();
  paint(paintedAreas(state.areas));
  showFigures(ownFigures(state.figures, catalogue), catalogue);
  renderLedger();
  renderAlerts();
}

async function renderAlerts() {
  try {
    const screen = await domainScreen(namespace, state.incidents);
    if (screen) showIncidents(screen, namespace, state.freshness?.as_of, (alert) => chooseCounty(alert.area, alert.point));
  } catch (error) {
    console.warn(error.message); // the state at the top tells people, from the live events
  }
}

function renderClock() {
  const fresh = state.freshness;
  showFreshness(state);
  say(byId("map-summary"), fresh
    ? `${word("areas")} ${fresh.areas} · ${word("reporting")} ${fresh.areas_reporting} · ${word("unknown-short")} ${fresh.areas_unknown}` : "");
}

function renderBanner() {
  const text = kindBanner(state.freshness?.kind);
  byId("banner").hidden = !text;
  if (!text) return;
  byId("banner-kind").textContent = text[0];
  byId("banner-text").textContent = text[1];
}

function renderLedger() {
  if (!state.ledger) return;
  byId("ledger-law").textContent = word(state.ledger.closes ? "closes" : "does-not-close");
  const names = ["received", "stored", "on_time", "late", "revised", "duplicate", "quarantined", "rejected"];
  byId("ledger").replaceChildren(...names.map((name) =>
    element("div", {}, element("dt", {}, word(name)), element("dd", {}, count(state.ledger[name])))));
}

start();
