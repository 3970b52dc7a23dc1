// Tables of cells. In each, one cell can be reached with Tab, and the others from there with arrows.

const WORDS = { pass: "passes", fail: "fails", error: "error", recorded: "informational only" };

// What stands in a cell: of the check or symptom that is filtered for, else what fails first.
function markOf(cell, { check, symptom: wanted } = {}) {
  const answer = check ? cell.outcome.get(check) : cell.verdict;
  const has = !check && wanted && cell.symptoms.includes(wanted);
  const symptom = check ? cell.failed.get(check)?.[0] : has ? wanted : cell.symptoms[0];
  if (symptom && cell.verdict !== ERROR) return { kind: FAIL, text: report.codes[symptom] };
  if (answer === ERROR) return { kind: ERROR, text: "err" };
  if (answer === PASS) return { kind: PASS, text: "✓" };
  return { kind: "none", text: answer === undefined ? "–" : "·" };
}

function nameOf(cell, check) {
  const where = `${cell.proxy}-${cell.server}-${cell.mode}, ${cell.strategy}, trust ${cell.trust}`;
  const symptoms = check ? cell.failed.get(check) ?? [] : cell.symptoms;
  const more = symptoms.length > 1 ? ` and ${symptoms.length - 1} more` : "";
  const answer = check ? cell.outcome.get(check) ?? "not asked" : cell.verdict;
  const what = symptoms.length && cell.verdict !== ERROR
    ? `fails, ${symptoms[0]}${more}` : WORDS[answer] ?? answer;
  const marks = [
    cell.recipe && "recipe", cell.surprises.length && "not as predicted", cell.changes.length && "changed",
  ].filter(Boolean);
  return [`${where}, ${cell.scheme}: ${what}`, ...marks].join("; ");
}

function mark(cell, state, matches) {
  const { kind, text } = markOf(cell, state);
  const name = nameOf(cell, state.check);
  const marked = [
    "mark", kind, cell.recipe && "recipe", cell.surprises.length && "surprise",
    cell.changes.length && "changed", !matches(cell) && "other",
  ];
  const button = h(
    "button",
    {
      type: "button", class: marked.filter(Boolean).join(" "), "data-cell": cell.id, tabindex: "-1",
      "aria-label": name, title: name, "aria-current": state.cell === cell.id && "true",
      onclick: () => choose(cell.id),
    },
    text + (cell.surprises.length ? "!" : ""),
  );
  return h("td", {}, button);
}

const nothing = () => h("td", { class: "nothing" }, h("span", { "aria-label": "not asked", role: "img" }, "–"));

// `rows`: of { heads, group, cells by column }. `columns`: of { above, below, key }.
function table(labelledBy, columns, rows, state, matches) {
  const groups = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (last?.above === column.above) last.span += 1;
    else groups.push({ above: column.above, span: 1 });
  }
  const above = groups.map((group) => h("th", { scope: "colgroup", colspan: group.span }, group.above));
  const below = columns.map((column) => h("th", { scope: "col" }, column.below));
  const twoHeads = groups.some((group) => group.above);
  const corner = h("td", { rowspan: twoHeads ? 2 : 1, class: "corner" },
    rows.some((row) => row.group) ? ["strategy", h("br"), "trust"] : "");
  const head = twoHeads
    ? [h("tr", {}, corner, above), h("tr", {}, below)]
    : [h("tr", {}, corner, below)];
  const body = [];
  let before;
  for (const row of rows) {
    if (row.group && row.group !== before) {
      const title = h("th", { scope: "rowgroup", colspan: columns.length + 1, class: "group" }, row.group);
      body.push(h("tr", {}, title));
      before = row.group;
    }
    const found = columns.map(({ key }) => row.cells.get(key));
    const marks = found.map((cell) => (cell ? mark(cell, state, matches) : nothing()));
    body.push(h("tr", {}, h("th", { scope: "row" }, row.head), marks));
  }
  const made = h(
    "table",
    { role: "grid", "aria-labelledby": labelledBy, "aria-readonly": "true" },
    h("thead", {}, head), h("tbody", {}, body),
  );
  const first = made.querySelector("[aria-current]") ?? made.querySelector("button");
  first?.setAttribute("tabindex", "0");
  made.addEventListener("keydown", move);
  made.addEventListener("focusin", (event) => rove(made, event.target));
  return made;
}

function rove(within, button) {
  for (const each of within.querySelectorAll("button[tabindex='0']")) each.tabIndex = -1;
  button.tabIndex = 0;
}

const STEPS = {
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
  Home: [0, -Infinity], End: [0, Infinity], PageUp: [-6, 0], PageDown: [6, 0],
};

function move(event) {
  const step = STEPS[event.key];
  const from = event.target.closest("button");
  if (!step || !from || event.altKey || event.metaKey) return;
  event.preventDefault();
  const rows = [...event.currentTarget.querySelectorAll("tbody tr")]
    .map((row) => [...row.querySelectorAll("td")].map((place) => place.querySelector("button")))
    .filter((row) => row.some(Boolean));
  let row = rows.findIndex((each) => each.includes(from));
  let column = rows[row].indexOf(from);
  if (event.ctrlKey) row = step[1] < 0 ? 0 : step[1] > 0 ? rows.length - 1 : row;
  const within = (number, length) => Math.max(0, Math.min(length - 1, number));
  const way = Math.sign(step[0] + step[1]);
  row = within(row + step[0], rows.length);
  column = within(column + step[1], rows[row].length);
  // Over what was not asked, to the next that was.
  while (rows[row]?.[column] === null) {
    if (step[0]) row += way;
    else column += Number.isFinite(step[1]) ? way : -way;
  }
  rows[row]?.[column]?.focus();
}

let numbered = 0;

function block(title, about, ...content) {
  const id = `block-${numbered += 1}`;
  const head = h("h3", { id }, title);
  return h("section", { class: "block", "aria-labelledby": id }, head, about && h("p", {}, prose(about)),
    content.map((make) => (typeof make === "function" ? make(id) : make)));
}

function combinations(some, state, matches) {
  return valuesOf("mode", some).map((mode) => {
    const ofMode = some.filter((cell) => cell.mode === mode);
    const blocks = valuesOf("proxy", ofMode).map((proxy) => {
      const own = ofMode.filter((cell) => cell.proxy === proxy);
      const columns = valuesOf("server", own).flatMap((server) =>
        valuesOf("scheme", own).map((scheme) => ({ above: server, below: scheme, key: `${server} ${scheme}` })));
      const rows = new Map();
      for (const cell of own) {
        const key = `${cell.strategy} ${cell.trust}`;
        const row = rows.get(key) ?? { group: cell.strategy, head: cell.trust, cells: new Map() };
        row.cells.set(`${cell.server} ${cell.scheme}`, cell);
        rows.set(key, row);
      }
      // By strategy, as they come: the recipes of several servers are not in one order.
      const order = valuesOf("strategy", own);
      const sorted = [...rows.values()].sort((one, other) => order.indexOf(one.group) - order.indexOf(other.group));
      return block(`${proxy}, ${mode}`, "", (id) => table(id, columns, sorted, state, matches));
    });
    const title = { strip: "The proxy strips the prefix", preserve: "The proxy preserves the prefix" }[mode];
    return h("section", { class: "mode" }, h("h2", {}, title ?? mode), h("div", { class: "blocks" }, blocks));
  });
}

function variations(some, state, matches) {
  const blocks = valuesOf("variation", some).map((variation) => {
    const own = some.filter((cell) => cell.variation === variation);
    const columns = valuesOf("scheme", own).map((scheme) => ({ above: "", below: scheme, key: scheme }));
    const rows = new Map();
    for (const cell of own) {
      const deployment = `${cell.proxy}-${cell.server}-${cell.mode}`;
      const setup = `${cell.strategy}.${cell.trust}`;
      const key = `${deployment}.${setup}`;
      const head = [deployment, h("span", { class: "setup" }, setup)];
      const row = rows.get(key) ?? { head, cells: new Map() };
      row.cells.set(cell.scheme, cell);
      rows.set(key, row);
    }
    const told = report.variations[variation];
    const above = answersOf(variation);
    const about = told ? told.about : "";
    return block(variation, about, above, (id) => table(id, columns, [...rows.values()], state, matches));
  });
  const title = report.grids.some((each) => each.suite === state.view)
    ? "Variants, and which origins each lets read" : "Changes that people really make";
  return h("section", {}, h("h2", {}, title), h("div", { class: "blocks" }, blocks));
}

// What a suite tells of a variation's cells together: paths down, who asks across.
function answersOf(variation) {
  const grid = report.grids.flatMap((each) => each.grids).find((each) => each.variation === variation);
  if (!grid) return "";
  const head = h("tr", {}, h("td", { colspan: 2 }), grid.rows.map(([label]) => h("th", { scope: "col" }, label)));
  const body = grid.columns.map(([path, question], column) => {
    const first = grid.columns[column - 1]?.[0] !== path;
    const span = grid.columns.filter(([each]) => each === path).length;
    const answers = grid.rows.map(([, row]) => {
      const answer = row[column];
      const kind = answer.endsWith("!") ? "wrong" : answer === "yes" ? "yes" : "no";
      return h("td", { class: kind }, answer);
    });
    return h("tr", { class: first ? "first" : "" },
      first && h("th", { scope: "rowgroup", rowspan: span }, path), h("th", { scope: "row" }, question), answers);
  });
  return h("table", { class: "answers" }, h("caption", {}, "Which origins may read"), h("thead", {}, head), h("tbody", {}, body));
}

// --- what changed since an earlier run ---

function changes(comparison) {
  const [earlier, later] = comparison.runs.map((run) => report.runs[run]);
  const versions = Object.entries(comparison.versions);
  const changed = new Set(comparison.changes.flatMap((change) => Object.keys(change.cells)));
  const checks = new Set(comparison.changes.map((change) => change.check));
  const told = changed.size
    ? `${changed.size} of ${plural(comparison.both, "cell")} answer differently, in ${plural(checks.size, "check")}.`
    : `Nothing changed in ${plural(comparison.both, "cell")}.`;
  const id = `block-${numbered += 1}`;
  const rows = comparison.changes.map((change) => h("tr", {},
    h("th", { scope: "row" }, change.check),
    h("td", {}, change.before), h("td", {}, change.after),
    h("td", {}, h("details", {},
      h("summary", {}, plural(Object.keys(change.cells).length, "cell")), cellList(Object.keys(change.cells)))),
  ));
  const only = [["Only in the earlier run", comparison.only_before], ["Only in the later run", comparison.only_after]];
  return h("section", { class: "comparison", "aria-labelledby": id },
    h("h2", { id }, `${earlier.name} (${dateOf(earlier)}), then ${later.name} (${dateOf(later)})`),
    h("p", {}, told),
    versions.length ? h("p", {}, `Versions: ${versions.map(([name, [was, now]]) => `${name} ${was || "–"} → ${now || "–"}`).join(", ")}`) : h("p", {}, "The versions are the same."),
    rows.length ? h("div", { class: "wide", tabindex: "0", role: "group", "aria-labelledby": id }, h("table", { class: "changes" },
      h("thead", {}, h("tr", {}, ["Check", "Before", "After", "Where"].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows))) : "",
    only.filter(([, ids]) => ids.length).map(([title, ids]) => h("details", {},
      h("summary", {}, `${title}: ${plural(ids.length, "cell")}`), cellList(ids))),
  );
}

function cellList(ids) {
  return h("ul", { class: "cells" }, ids.map((id) => h("li", {},
    h("button", { type: "button", class: "plain", onclick: () => choose(id) }, id))));
}
