// What to ask: one of the telling requests, or one's own.

function field(id, label, element, more = "") {
  return h("div", { class: `field ${more}` }, h("label", { for: id }, label), element);
}

function choice(id, values) {
  const select = h("select", { id }, values.map(([value, text]) => h("option", { value }, text)));
  return select;
}

const same = (values) => values.map((value) => [value, value]);

function typed() {
  return { method: place("method").value, path: place("path").value.trim(), headers: place("headers").value.trim(), scheme: place("scheme").value };
}

const isTelling = (each, state) => each.method === state.method && each.path === state.path && textOf(each.headers) === state.headers;

function makeRequest() {
  const buttons = lab.words.telling.map((each) => h("button", {
    type: "button", class: "telling", "data-telling": each.name, title: each.about, "aria-pressed": "false",
    onclick: () => request({ method: each.method, path: each.path, headers: textOf(each.headers) }),
  }, each.name));
  const names = [...lab.states.keys()];
  const beside = choice("beside", [["", "nothing"], ...same(names)]);
  beside.addEventListener("change", () => request({ beside: beside.value }, answered));
  const scheme = choice("scheme", same(["https", "http"]));
  scheme.addEventListener("change", () => request({ scheme: scheme.value }, answered));
  const form = h("form", { id: "own", novalidate: true },
    field("scheme", "Scheme", scheme),
    field("method", "Method", choice("method", same(lab.words.methods))),
    field("path", "Path", h("input", { id: "path", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "none" }), "path"),
    field("headers", "Headers, one per line", h("textarea", { id: "headers", rows: "2", spellcheck: "false", autocomplete: "off" }), "headers"),
    field("beside", "Side by side with", beside),
    h("button", { type: "submit", id: "send" }, "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    request(typed());
  });
  place("request").replaceChildren(
    h("h2", { id: "request-title" }, "Request"),
    h("div", { class: "tellings", role: "group", "aria-label": "Example requests" }, buttons),
    h("p", { id: "about" }, " "),
    form,
    h("p", { id: "asked", role: "status" }));
}

function showRequest() {
  const state = read();
  for (const name of ["method", "path", "headers", "scheme", "beside"]) {
    const element = place(name);
    if (element.value !== state[name] && document.activeElement !== element) element.value = state[name];
  }
  for (const option of place("beside").options) option.disabled = option.value === state.topology;
  const telling = lab.words.telling.find((each) => isTelling(each, state));
  for (const button of document.querySelectorAll("[data-telling]")) {
    button.setAttribute("aria-pressed", String(button.dataset.telling === telling?.name));
  }
  place("about").textContent = telling?.about ?? " ";
}

// --- sending ---

let wanted = false; // whether somebody has asked for it: then any method is sent

// Change the address, and so what is asked. The same again is sent again.
function request(changed, sending = true) {
  wanted = Boolean(sending);
  if (!write(changed) && wanted) send();
}

let sent = 0; // the number of the last question: an answer to an earlier one is not shown
let answered; // what was asked, and its ways

async function send() {
  const state = read();
  wanted = false;
  if (!state.path) return;
  sent += 1;
  const number = sent;
  place("asked").textContent = "Asking …";
  place("ways").setAttribute("aria-busy", "true");
  const began = performance.now();
  try {
    const given = await ask("/trace", {
      topologies: [state.topology, state.beside].filter(Boolean),
      scheme: state.scheme, method: state.method, path: state.path, headers: headersOf(state.headers),
    });
    if (number !== sent) return;
    answered = { state, ways: given.ways, revealed: 1, milliseconds: Math.round(performance.now() - began) };
  } catch (error) {
    if (number !== sent) return;
    answered = { state, ways: [], error: error.message };
  }
  place("ways").removeAttribute("aria-busy");
  showWays();
}
