// The way of a request, drawn from what was measured.

const MARKS = { added: ["+", "added"], overwritten: ["~", "overwritten"], dropped: ["−", "dropped"] };

function sign(kind) {
  const [shown, words] = MARKS[kind];
  return h("span", { class: "mark-sign", role: "img", "aria-label": words, title: words }, shown);
}

const differing = () => h("span", { class: "differs-sign", role: "img", "aria-label": "differs from the other topology", title: "differs from the other topology" }, "≠");

function lineOf(line, isFirst) {
  const value = line.mark === "dropped" ? h("del", {}, line.value) : line.value;
  const name = line.name ? [h("span", { class: "name" }, line.name), ": "] : "";
  return h("li", { class: ["entry", line.mark, line.differs && "differs", isFirst && "first"].filter(Boolean).join(" ") },
    line.mark ? sign(line.mark) : h("span", { class: "mark-sign" }),
    h("span", { class: "said" }, name, value,
      line.mark === "overwritten" && h("span", { class: "was" }, " was ", h("del", {}, line.before))),
    line.differs && differing());
}

const TITLES = { scope: "the ASGI scope", derived: "what the application derives" };

function titleOf(step) {
  if (step.kind === "derived") return `${step.receiver} derives`;
  const arrow = step.kind === "answer" ? "←" : "→";
  const pair = step.kind === "answer" ? [step.receiver, step.sender] : [step.sender, step.receiver];
  return `${pair[0]} ${arrow} ${pair[1]}`;
}

function spokenOf(step) {
  if (step.kind === "derived") return TITLES.derived;
  const what = { request: "request", answer: "answer", scope: TITLES.scope }[step.kind];
  return `${what}, from ${step.sender} to ${step.receiver}`;
}

// Where a step stands: its row, side by side, is that of the other's equal.
function placesOf(steps) {
  const requests = steps.filter((step) => step.kind === "request");
  const answers = steps.filter((step) => step.kind === "answer").reverse();
  return steps.map((step) => {
    if (step.kind === "request") return ["request", requests.indexOf(step)];
    if (step.kind === "answer") return ["answer", answers.indexOf(step)];
    return [step.kind, 0];
  });
}

// The column between two of those that it passes, and the row, side by side.
function spotOf([kind, number], gaps) {
  if (kind === "request") return { column: number + 1, row: number + 1 };
  if (kind === "scope") return { column: gaps, row: gaps };
  if (kind === "derived") return { column: gaps, row: gaps + 1 };
  return { column: number + 1, row: 2 * gaps - number };
}

function stepOf(step, spot) {
  const title = h("h4", { class: `arrow ${step.kind}` }, h("span", { "aria-hidden": "true" }, titleOf(step)),
    h("span", { class: "spoken" }, spokenOf(step)));
  const entries = [step.line && lineOf(step.line, true), ...step.lines.map((line) => lineOf(line, false))].filter(Boolean);
  return h("li", { class: `step ${step.kind}${step.differs ? " differs" : ""}`, "data-column": spot.column, "data-row": spot.row },
    title,
    step.kind === "scope" ? h("p", { class: "note" }, "ASGI scope") : "",
    step.note ? h("p", { class: "note" }, step.note) : "",
    entries.length ? h("ul", { class: "entries" }, entries) : "",
    step.body ? h("pre", { class: "body", tabindex: "0", role: "group", "aria-label": "Start of the body" }, step.body.trim()) : "");
}

function leadOf(lead) {
  const result = lead.note || `${lead.status} from the application`;
  const good = lead.answered && lead.status < 400;
  const other = !lead.note && !lead.answered && `${lead.status}, not from the application`;
  return h("li", {}, `${lead.what}: `, h("code", {}, lead.url), " → ",
    h("span", { class: `sign ${good ? "pass" : "fail"}`, "aria-hidden": "true" }, good ? "✓" : "✕"), " ", other || result);
}

function wayOf(way, shownSteps, everything) {
  const change = way.change ? `, changed to ${way.change}` : "";
  if (way.error) return h("article", { class: "way" }, h("h3", {}, way.topology), h("p", { class: "message" }, way.error));
  const gaps = way.chain.length + 1;
  const places = placesOf(way.steps);
  const nodes = ["client", ...way.chain, "application"];
  const told = everything ? `: ${way.status}` : "";
  return h("article", { class: "way", "data-gaps": gaps },
    h("h3", {}, `${way.topology}${change}${told}`),
    h("p", { class: "nodes", "data-gaps": gaps, "aria-hidden": "true" }, nodes.map((name, number) => h("span", { "data-node": number }, name))),
    h("ol", { class: "steps", "data-gaps": gaps },
      way.steps.slice(0, shownSteps).map((step, number) => stepOf(step, spotOf(places[number], gaps)))),
    everything && way.leads.length
      ? h("div", { class: "leads" }, h("h4", {}, "Where the answer leads"), h("ol", {}, way.leads.map(leadOf))) : "");
}

function showWays() {
  const content = place("way-content");
  if (!answered) {
    content.replaceChildren(h("p", { class: "hint" }, "Choose a request above. This part then shows it hop by hop."));
    place("steps").hidden = true;
    return;
  }
  if (answered.error) {
    place("asked").textContent = answered.error;
    place("steps").hidden = true;
    content.replaceChildren();
    return;
  }
  const { ways } = answered;
  const most = Math.max(0, ...ways.map((way) => way.steps.length));
  const everything = !predicting() || answered.revealed >= most;
  const shown = everything ? Infinity : answered.revealed;
  const told = ways.map((way) => way.error ? "no answer" : String(way.status)).join(" and ");
  place("asked").textContent = everything ? `${told}, after ${answered.milliseconds} ms`
    : `Answered. What did it say? ${answered.revealed} of ${most} steps shown.`;
  place("steps").hidden = !predicting();
  place("next").disabled = place("all").disabled = everything;
  content.className = ways.length > 1 ? "beside" : "single";
  content.replaceChildren(...ways.map((way) => wayOf(way, shown, everything)));
}

function reveal(more) {
  if (!answered) return;
  answered.revealed += more;
  showWays();
}

function makeWays() {
  const legend = h("ul", { class: "signs" }, Object.keys(MARKS).map((kind) =>
    h("li", {}, h("span", { class: `entry ${kind}`, "aria-hidden": "true" }, h("span", { class: "mark-sign" }, MARKS[kind][0])), `${MARKS[kind][1]} since the previous hop`)),
  h("li", {}, h("span", { class: "differs-sign", "aria-hidden": "true" }, "≠"), "differs from the other topology"));
  place("ways").replaceChildren(
    h("div", { class: "bar" }, h("h2", { id: "ways-title" }, "The request, hop by hop"), legend),
    h("div", { id: "steps", hidden: true, class: "row" },
      field("guess", "Your prediction", h("input", { id: "guess", type: "text", autocomplete: "off" }), "grow"),
      h("button", { type: "button", id: "next", onclick: () => reveal(1) }, "Next step"),
      h("button", { type: "button", id: "all", class: "quiet", onclick: () => reveal(Infinity) }, "Show all")),
    h("div", { id: "way-content" }));
}
