// The topologies, each with its verdict.

const SIGNS = { pass: "✓", fail: "✕", error: "err" };

const wrongOf = (state) => new Set(state.cells.flatMap((cell) => cell.wrong.map((each) => each.check)));

// What a topology is at the moment: a class, a sign, words.
function outcomeOf(state) {
  if (state.state === "starting") return ["none", "…", "starting"];
  if (state.state === "down") return ["error", "!", "down"];
  const refused = state.state === "refused";
  if (hidden(state)) return ["none", "?", refused ? "hidden; refused" : "hidden"];
  if (refused) return ["error", "!", "refused"];
  if (state.asking) return ["none", "…", "asking again"];
  const wrong = wrongOf(state).size;
  if (state.verdict === "fail") return ["fail", SIGNS.fail, `${plural(wrong, "check")} ${wrong === 1 ? "fails" : "fail"}`];
  if (state.verdict === "error") return ["error", SIGNS.error, "error"];
  if (state.verdict === "pass") return ["pass", SIGNS.pass, "passes"];
  return ["none", "–", "not asked yet"];
}

function tile(state, chosen, beside) {
  const [kind, sign, words] = outcomeOf(state);
  const changed = changeOf(state);
  const role = state.topology === chosen ? "chosen" : state.topology === beside ? "beside" : "";
  const news = !hidden(state) && !state.asking && state.changed.length
    ? `${plural(state.changed.length, "finding")} changed` : "";
  const shown = [words, changed && `changed to ${changed}`, news].filter(Boolean);
  return h("button", {
    type: "button", class: `tile ${kind}`, "data-topology": state.topology,
    "aria-current": role === "chosen" && "true", "data-role": role,
    "aria-label": `${state.topology}: ${shown.join(", ")}${role === "beside" ? "; shown side by side" : ""}`,
    onclick: () => write({ topology: state.topology, ...(state.topology === beside ? { beside: "" } : {}) }),
  },
  h("span", { class: "sign", "aria-hidden": "true" }, sign),
  h("span", { class: "words" }, words),
  h("span", { class: "also" }, changed || news || "recipe"));
}

function showGrid() {
  const { topology, beside } = read();
  const states = [...lab.states.values()];
  const focused = document.activeElement?.closest("[data-topology]")?.dataset.topology;
  const servers = [...new Set(states.map((state) => state.server))];
  const rows = [...new Map(states.map((state) => [`${state.proxy} ${state.mode}`, state])).values()];
  const body = rows.map((row) => h("tr", {},
    h("th", { scope: "row" }, row.proxy, h("span", { class: "setup" }, row.mode)),
    servers.map((server) => {
      const state = states.find((each) => each.proxy === row.proxy && each.mode === row.mode && each.server === server);
      return h("td", {}, state ? tile(state, topology, beside) : "");
    })));
  const head = h("tr", {}, h("td", {}), servers.map((server) => h("th", { scope: "col" }, server)));
  place("grid").replaceChildren(h("table", { "aria-labelledby": "topologies-title" }, h("thead", {}, head), h("tbody", {}, body)));
  place("reveal").hidden = !predicting();
  place("reveal").disabled = !states.some(hidden);
  if (focused) document.querySelector(`[data-topology="${CSS.escape(focused)}"]`)?.focus();
}

function makeGrid() {
  const reveal = h("button", {
    type: "button", id: "reveal", class: "quiet", hidden: true,
    onclick: () => {
      for (const state of lab.states.values()) lab.revealed.set(state.topology, changeOf(state));
      showGrid();
      showTopology();
    },
  }, "Show all verdicts");
  place("topologies").replaceChildren(
    h("div", { class: "bar" }, h("h2", { id: "topologies-title" }, "Topologies"), reveal), h("div", { id: "grid" }));
}
