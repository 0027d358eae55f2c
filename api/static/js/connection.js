// The live events: followed, noticed when they stop, and followed again, without reloading the page.

const AGAIN_MS = [1000, 2000, 4000, 8000];
const TURN_MS = 500;
const USUAL_PATIENCE_MS = 9000; // until the server has said its own
const KINDS = ["snapshot", "change", "beat"];

const link = { up: false, said: null, heard: null }; // said: the server's last time of day, heard: ours then
let address = "";
let on = null; // { take, turn, refused }
let source = null;
let opened = 0;
let tries = 0;
let waiting = null; // timer of the next try
let patienceMs = USUAL_PATIENCE_MS;

export const isUp = () => link.up;
export const lastWord = () => link.said;
// The server's clock, counted on by ours since its last word; null before the first one.
export const serverNow = () => (link.said === null ? null : Date.parse(link.said) + Math.max(0, Date.now() - link.heard));
export function bePatient(seconds) { patienceMs = seconds * 1000; }

// `take(kind, sections)` for every event; `turn()` twice a second; `refused()` before every new try.
export function follow(namespace, acts) {
  address = `/v1/live?namespace=${encodeURIComponent(namespace)}`;
  on = acts;
  connect();
  setInterval(watch, TURN_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
  window.addEventListener("online", hurry);
}

function connect() {
  waiting = null;
  opened = Date.now();
  const own = new EventSource(address);
  source = own;
  own.addEventListener("error", () => { if (source === own) lose(); });
  for (const kind of KINDS) own.addEventListener(kind, (event) => { if (source === own) hear(kind, JSON.parse(event.data)); });
}

function hear(kind, { now, ...sections }) {
  Object.assign(link, { up: true, said: now, heard: Date.now() });
  tries = 0;
  on.take(kind, sections);
}

// Also notices a connection that something on the way holds open, and a computer that slept.
function watch() {
  const since = Math.max(opened, link.heard ?? 0);
  if (since > Date.now()) opened = link.heard = Date.now(); // our clock was put back
  else if (source && Date.now() - since > patienceMs) lose();
  on.turn();
}

function lose() {
  source.close();
  source = null;
  link.up = false;
  on.turn();
  wait(AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
}

function wait(ms) {
  clearTimeout(waiting);
  waiting = setTimeout(again, ms);
}

async function again() {
  waiting = null;
  try {
    await on.refused(); // the session may have ended
    connect();
  } catch (error) {
    console.warn(error.message); // the state at the top tells people
    wait(AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
  }
}

function hurry() {
  if (waiting !== null) wait(0);
}
