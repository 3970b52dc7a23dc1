// One cell: what is wrong, why, what fixes it, and the evidence.

// The lab's own headers, and those that say nothing of the way.
const NOISE = new Set(["date", "server", "x-instance", "x-asgi-scope", "x-middleware"]);

function valueOf(headers, name) {
  const found = headers.find((line) => line.toLowerCase().startsWith(`${name}:`));
  return found?.slice(name.length + 1).trim();
}

const quiet = (headers) => headers.filter((line) => !NOISE.has(line.split(":", 1)[0].toLowerCase()));

function scopeOf(exchange) {
  const told = valueOf(exchange.answered, "x-asgi-scope");
  if (told === undefined) return undefined;
  try {
    return Object.entries(JSON.parse(told)).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  } catch {
    return [told];
  }
}

function hop(name, told) {
  return h("li", {}, h("span", { class: "hop" }, name), h("pre", { tabindex: "0", role: "group", "aria-label": name }, told.join("\n")));
}

// The way of a request as far as it was recorded: nothing here is supposed.
function hopsOf(cell, exchange) {
  const direct = /^\w+:\/\/(127\.|\[)/.test(exchange.url);
  const outer = report.variations[cell.variation]?.outer;
  const proxies = direct ? [] : [outer, cell.proxy].filter(Boolean);
  const chain = [...proxies, cell.server];
  const scope = scopeOf(exchange);
  const answer = [String(exchange.status), ...quiet(exchange.answered)];
  if (exchange.body) answer.push("", exchange.body);
  const layers = valueOf(exchange.answered, "x-middleware");
  return h("ol", { class: "hops" },
    hop(`client → ${chain[0]}${direct ? ", bypassing the proxy" : ""}`, [`${exchange.method} ${exchange.url}`, ...quiet(exchange.sent)]),
    scope ? hop(`${chain.slice(0, -1).map((name) => `${name} → `).join("")}${cell.server} → application: the ASGI scope`, scope)
      : h("li", {}, h("span", { class: "hop" }, "The answer has no X-ASGI-Scope: it did not come from the application.")),
    layers ? hop("in the application: the middleware it passed", [layers]) : "",
    hop(`${chain[0]} → client`, answer),
  );
}

function pathOf(url) {
  return url.replace(/^\w+:\/\/[^/]*/, "") || "/";
}

function exchangesOf(cell, finding) {
  const quoted = finding.exchanges.findIndex((each) => finding.detail.includes(`${each.method} ${each.url} `));
  const shown = quoted < 0 ? finding.exchanges.length - 1 : quoted;
  return finding.exchanges.map((exchange, number) => {
    const answered = `${exchange.method} ${pathOf(exchange.url)} → ${exchange.status}`;
    const made = h("details", { class: "exchange" }, h("summary", {}, answered));
    const fill = () => { if (made.children.length === 1) made.append(hopsOf(cell, exchange)); };
    made.addEventListener("toggle", fill);
    if (number === shown) { fill(); made.open = true; }
    return made;
  });
}

function meaningOf(symptom) {
  const told = report.symptoms[symptom];
  if (!told) return "";
  const parts = [["What you see", told.seen], ["Why", told.cause], ["Fix", told.fix]];
  return h("dl", {}, parts.flatMap(([title, text]) => [h("dt", {}, title), h("dd", {}, prose(text))]),
    h("dt", {}, "On the command line"), h("dd", {}, h("code", {}, `hoplab explain ${symptom}`)));
}

const SIGNS = { pass: "✓", fail: "✕", error: "err", recorded: "·", "not-applicable": "–" };

function findingOf(cell, finding) {
  const change = cell.changes.find((each) => each.check === finding.check);
  const made = h("details", { class: `finding ${finding.verdict}` },
    h("summary", {}, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[finding.verdict] ?? "?"),
      h("span", { class: "check" }, finding.check), h("span", {}, finding.symptom ?? finding.verdict)));
  const fill = () => {
    if (made.children.length > 1) return;
    const question = report.checks[finding.check];
    made.append(
      question ? h("p", { class: "question" }, prose(question)) : "",
      h("p", { class: "detail" }, finding.detail),
      change ? h("p", { class: "before" }, `Before: ${change.before}. ${change.detail}`) : "",
      finding.symptom ? meaningOf(finding.symptom) : "",
      ...exchangesOf(cell, finding),
    );
  };
  made.addEventListener("toggle", fill);
  return { made, open: () => { fill(); made.open = true; } };
}

function part(title, ...content) {
  return h("section", {}, h("h3", {}, title), content);
}

const WORST_FIRST = [ERROR, FAIL, PASS, "recorded", "not-applicable"];

async function showFindings(cell, place) {
  try {
    const found = await findingsOf(cell);
    const order = (finding) => WORST_FIRST.indexOf(finding.verdict);
    const made = found.sort((one, other) => order(one) - order(other)).map((each) => ({ each, ...findingOf(cell, each) }));
    made.filter(({ each }) => each.verdict === FAIL || each.verdict === ERROR).slice(0, 1).forEach(({ open }) => open());
    place.replaceChildren(...made.map(({ made: element }) => element));
  } catch (error) {
    const can = "DecompressionStream" in window;
    place.replaceChildren(h("p", {}, can ? `The evidence can't be read: ${error.message}.`
      : "This browser can't unpack the evidence: it needs DecompressionStream (Chrome 103, Firefox 113, Safari 16.4)."));
  }
  place.removeAttribute("aria-busy");
}

function verdictOf(cell) {
  const kind = { pass: "passes", fail: "fails", error: "error: the cell has no verdict" }[cell.verdict] ?? cell.verdict;
  const failed = [...cell.failed.values()].flat().length;
  const how = failed ? ` (${plural(failed, "finding")})` : "";
  const predicted = !cell.predicted || cell.verdict === ERROR ? ""
    : cell.surprises.length ? ", not as predicted" : ", as predicted";
  return `${kind}${how}${predicted}${cell.recipe ? "; the recipe of this topology" : ""}`;
}

// Shows a cell in the panel. The evidence follows when it is unpacked.
function showCell(cell, panel) {
  const variation = report.variations[cell.variation];
  const causes = cell.causes === undefined ? [] : texts[cell.causes];
  const fix = cell.fix === undefined ? [...new Set(causes.map((cause) => cause.fix).filter(Boolean))] : texts[cell.fix];
  const rules = cell.rules === undefined ? [] : texts[cell.rules].map((number) => report.rules[number]);
  const change = cell.change === undefined ? [] : texts[cell.change];
  const commands = ["explain", "repro"].map((command) => `hoplab ${command} ${cell.id}${report.option}`);
  const references = [...(variation?.references ?? []), ...cell.symptoms.flatMap((each) => report.symptoms[each]?.references ?? [])];
  const findings = h("div", { id: "findings", "aria-busy": "true" }, h("p", {}, "Unpacking the evidence …"));
  const sign = h("span", { class: `sign ${cell.verdict}`, "aria-hidden": "true" }, SIGNS[cell.verdict] ?? "?");
  panel.replaceChildren(
    h("div", { class: "bar" },
      h("h2", { id: "cell-title" }, cell.id),
      h("button", { type: "button", id: "close", onclick: () => choose("") }, "Close")),
    h("p", { class: "verdict" }, sign, verdictOf(cell)),
    cell.surprises.length ? part("Not as predicted", h("ul", {}, cell.surprises.map((each) => h("li", {}, each)))) : "",
    cell.changes.length ? part("Changed", h("ul", {}, cell.changes.map((each) =>
      h("li", {}, `${each.check}: ${each.before} → ${each.after}`)))) : "",
    causes.length ? part(causes.length === 1 ? "Why" : `Why: ${causes.length} causes`, causes.map((cause) =>
      h("div", { class: "cause" }, h("p", {}, prose(cause.told)), h("p", { class: "so" }, `Failed checks: ${cause.so.join("; ")}`)))) : "",
    variation ? part(`The variation ${cell.variation}`, h("p", {}, prose(variation.about)),
      change.length ? lines(change, "the change") : "") : "",
    fix.length && cell.failed.size ? part(cell.fix === undefined || cell.variation ? "Fix" : "The smallest fix",
      lines(fix, "the fix", copiedFix(fix))) : "",
    rules.length ? part("The rules that apply here", h("ul", {}, rules.map(([statement, [address]]) =>
      h("li", {}, prose(statement), " ", address ? link(address) : "")))) : "",
    // Nobody but its author can start a person's own application.
    cell.suite === "own" ? "" : part("On the command line", h("p", {}, "The first command shows every hop of a request. The second prints plain commands that reproduce this cell."),
      commands.map((command) => lines([command], "the command"))),
    h("section", {}, h("h3", {}, "Findings"), findings),
    references.length ? part("Further reading", links(references)) : "",
  );
  return showFindings(cell, findings);
}

// Of a diff the lines that are to be there; else all.
function copiedFix(told) {
  const added = told.filter((line) => line.startsWith("+ ")).map((line) => line.slice(2));
  return (added.length ? added : told).join("\n");
}
