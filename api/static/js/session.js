// Who is looking: log in over the page without losing it, change the password, log out.

import { byId, element } from "./dom.js";
import { onLanguage, word } from "./words.js";

let session = null;
let wired = false;
let asking = null; // the promise of a login that is being asked for
let told = null; // key of the word that the form says

export const whoIs = () => session;

// Follows a link that was shown once, if the address has one; then says who it is.
export async function begin() {
  if (!wired) wire();
  const token = new URLSearchParams(location.hash.slice(1)).get("enter");
  if (token) {
    const answer = await send("POST", "session/link", { token });
    history.replaceState(null, "", location.pathname + location.search);
    if (!answer.ok) tell("link-used");
  }
  await look();
  if (session.kind === "nobody" || session.must_change_password) await login();
}

// Resolves when somebody has logged in; asks once, however many wait.
export function login() {
  asking ??= new Promise((resolve) => {
    byId("login").returnValue = "";
    show();
    byId("login").addEventListener("close", () => { asking = null; resolve(); }, { once: true });
  });
  return asking;
}

// A change; the word against forgery goes with it.
export function send(method, path, body = null) {
  const headers = { accept: "application/json" };
  if (body !== null) headers["content-type"] = "application/json";
  if (session?.csrf) headers["x-citybrain-csrf"] = session.csrf;
  return fetch(`/v1/${path}`, { method, headers, body: body === null ? null : JSON.stringify(body) });
}

export async function look() {
  const answer = await fetch("/v1/session", { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`session: ${answer.status}`);
  session = await answer.json();
  showWho();
  return session;
}

function wire() {
  wired = true;
  byId("login").addEventListener("cancel", (event) => event.preventDefault());
  byId("login-form").addEventListener("submit", (event) => { event.preventDefault(); enter(); });
  byId("password-form").addEventListener("submit", (event) => { event.preventDefault(); change(); });
  byId("login-oidc").addEventListener("click", () => {
    location.href = `/v1/session/oidc?to=${encodeURIComponent(location.pathname + location.search)}`;
  });
  byId("logout").addEventListener("click", leave);
  byId("enter").addEventListener("click", () => login());
  byId("login-close").addEventListener("click", () => byId("login").close());
  onLanguage(() => { showWho(); tell(told); });
}

function show() {
  const mustChange = session?.must_change_password === true;
  byId("login-form").hidden = mustChange;
  byId("password-form").hidden = !mustChange;
  byId("login-oidc").hidden = mustChange || !session?.oidc;
  byId("login-oidc").textContent = session?.oidc ?? "";
  byId("login-close").hidden = session?.kind !== "anybody";
  byId("login-title").dataset.word = mustChange ? "change-password" : "login";
  byId("login-title").textContent = word(byId("login-title").dataset.word);
  if (!byId("login").open) byId("login").showModal();
  const first = byId("login-name").value ? "login-password" : "login-name"; // the same person again
  byId(mustChange ? "password-old" : first).focus();
}

async function enter() {
  const given = { login: byId("login-name").value, password: byId("login-password").value };
  const answer = await attempt(send("POST", "session", given));
  if (!answer) return;
  if (answer.status === 429) return tell("too-many");
  if (!answer.ok) { byId("login-password").select(); return tell("wrong-login"); }
  tell(null);
  await look();
  if (!session.must_change_password) { byId("login-password").value = ""; return byId("login").close(); }
  byId("password-old").value = given.password;
  byId("login-password").value = "";
  show();
  byId("password-new").focus();
}

async function change() {
  const [old, fresh, again] = ["old", "new", "again"].map((name) => byId(`password-${name}`).value);
  if (fresh !== again) return tell("not-the-same");
  const answer = await attempt(send("POST", "session/password", { old, new: fresh }));
  if (!answer) return;
  if (answer.status === 401) return tell("wrong-login");
  if (!answer.ok) return tell("too-easy");
  tell(null);
  byId("password-form").reset();
  await look();
  byId("login").close();
}

async function leave() {
  const answer = await attempt(send("DELETE", "session"));
  if (answer) location.reload();
}

async function attempt(promise) {
  try {
    return await promise;
  } catch {
    tell("lost");
    return null;
  }
}

function tell(key) {
  told = key;
  byId("login-told").textContent = key ? word(key) : "";
}

function showWho() {
  const person = session?.kind === "person";
  byId("who").hidden = byId("logout").hidden = !person;
  byId("enter").hidden = session?.kind !== "anybody";
  if (!person) return;
  const places = session.grants.map((grant) => `${word(`role-${grant.role}`)} ${grant.area === "all" ? word("everywhere") : grant.area}`);
  byId("who").replaceChildren(element("strong", {}, session.who), element("span", { class: "quiet" }, places.join(" · ")));
}
