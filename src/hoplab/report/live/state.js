// What the address says after its #, what the server says, and how it is asked.

const place = (id) => document.getElementById(id);
const told = (name) => document.querySelector(`meta[name="hoplab-${name}"]`).content;
const TOKEN = told("token"), RUN = told("run");

const USUAL = { scheme: "https", method: "GET" };
const NAMES = ["topology", "beside", "scheme", "method", "path", "headers", "predict"];

// `states`: the last that came, by topology. `revealed`: whose verdicts somebody asked for, and
// with which change: another change hides them again.
const lab = { words: undefined, states: new Map(), revealed: new Map(), connected: false };

function read() {
  const told = {};
  for (const pair of location.hash.slice(1).split("&")) {
    const [name, value = ""] = pair.split("=", 2);
    try {
      if (NAMES.includes(name)) told[name] = decodeURIComponent(value);
    } catch {
      // Not percent-encoded as it should be: as if it were not there.
    }
  }
  const names = [...lab.states.keys()];
  const topology = names.includes(told.topology) ? told.topology : names[0];
  const beside = names.includes(told.beside) && told.beside !== topology ? told.beside : "";
  const scheme = told.scheme === "http" ? "http" : USUAL.scheme;
  const method = lab.words?.methods.includes(told.method) ? told.method : USUAL.method;
  return { path: "", headers: "", predict: "", ...told, scheme, method, topology, beside };
}

// Whether the address has changed: then all is shown again.
function write(changed) {
  const kept = Object.entries({ ...read(), ...changed }).filter(([name, value]) =>
    value && NAMES.includes(name) && value !== USUAL[name]);
  const fragment = `#${kept.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  if (fragment === location.hash) return false;
  location.hash = fragment;
  return true;
}

const predicting = () => Boolean(read().predict);
const changeOf = (state) => state.change?.name ?? "";
const hidden = (state) => predicting() && lab.revealed.get(state.topology) !== changeOf(state);

// A header a line.
function headersOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf(":");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

const textOf = (headers) => headers.map(([name, value]) => `${name}: ${value}`).join("\n");

// The answer as JSON; rejects with what there is to say to a person.
async function ask(path, body) {
  const post = body && {
    method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-Hoplab-Token": TOKEN },
  };
  let answer;
  try {
    answer = await fetch(path, post || {});
  } catch {
    throw new Error("hoplab does not answer. Is `hoplab demo` still running?");
  }
  if (answer.headers.get("content-type")?.startsWith("application/json")) {
    const given = await answer.json();
    if (!answer.ok) throw new Error(given.error);
    return given;
  }
  throw new Error((await answer.text()).trim() || `The server answered ${answer.status}.`);
}

// --- server-sent events ---

const AGAIN = 1000; // milliseconds

function listen(show) {
  const events = new EventSource("/events");
  events.addEventListener("open", () => connection(true));
  events.addEventListener("run", (event) => {
    // Another `hoplab demo` at the same address has another token, which a new page has.
    if (JSON.parse(event.data) !== RUN) location.reload();
  });
  events.addEventListener("states", (event) => {
    lab.states = new Map(JSON.parse(event.data).map((state) => [state.topology, state]));
    show();
  });
  events.addEventListener("error", () => {
    connection(false);
    // Some browsers try again by themselves, and give up where nobody listens.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => listen(show), AGAIN);
  });
}

function connection(connected) {
  lab.connected = connected;
  const shown = connected ? "Live" : "Connection lost: hoplab does not answer. Trying again …";
  if (place("connection").textContent !== shown) place("connection").textContent = shown;
  document.body.classList.toggle("lost", !connected);
}
