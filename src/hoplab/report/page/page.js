// What is shown is what the address says after its #: filters, the part of the page, the cell.

const VIEWS = { combinations: "Combinations", variations: "Variations", cors: "CORS", own: "Your application", changes: "What changed" };
const OUTCOMES = {
  passes: ["passes", (cell) => cell.verdict === PASS],
  fails: ["fails", (cell) => cell.verdict === FAIL],
  surprises: ["not as predicted", (cell) => cell.surprises.length > 0],
  errors: ["error", (cell) => cell.verdict === ERROR],
  recipes: ["recipe", (cell) => Boolean(cell.recipe)],
  changed: ["changed", (cell) => cell.changes.length > 0],
};
const FILTERS = [...AXES, "check", "symptom", "outcome"];
const NAMES = ["view", ...FILTERS, "cell"];
const place = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 84.99rem)");

const roomy = matchMedia("(min-width: 60rem)");

const views = [...new Set(cells.map((cell) => cell.view)), ...(report.comparisons.length ? ["changes"] : [])];

// As a query, but that a plus is a plus: cells of variations have one.
function parse(fragment) {
  const pairs = fragment.split("&").filter(Boolean).map((pair) => pair.split("=", 2));
  try {
    return Object.fromEntries(pairs.map((pair) => pair.map(decodeURIComponent)));
  } catch {
    return {};
  }
}

function fragmentOf(told) {
  const kept = Object.entries(told).filter(([name, value]) => value && NAMES.includes(name));
  return kept.map((pair) => pair.map((text) => encodeURIComponent(text).replaceAll("%2B", "+")).join("=")).join("&");
}

function read() {
  const told = parse(location.hash.slice(1));
  const cell = cellsById.get(told.cell);
  const view = views.includes(told.view) ? told.view : cell?.view ?? views[0];
  return { ...told, cell: cell?.id ?? "", view };
}

function write(changed) {
  const told = { ...read(), ...changed };
  if (told.view === views[0] && (!told.cell || cellsById.get(told.cell)?.view === told.view)) delete told.view;
  location.hash = fragmentOf(told);
}

function choose(id) {
  const view = cellsById.get(id)?.view;
  write({ cell: id, ...(view && read().view !== "changes" ? { view } : {}) });
}

// --- filters ---

function selection(name, label, values) {
  const options = [["", "any"], ...values].map(([value, text]) => h("option", { value }, text));
  const select = h("select", { name, id: `filter-${name}` }, options);
  select.addEventListener("change", () => write({ [name]: select.value }));
  return h("div", { class: "filter" }, h("label", { for: `filter-${name}` }, label), select);
}

function makeFilters() {
  const same = (values) => values.map((value) => [value, value]);
  const axes = AXES.map((axis) => selection(axis, axis, same(valuesOf(axis))));
  const asked = Object.keys(report.checks).filter((check) => cells.some((cell) => cell.outcome.has(check)));
  const outcomes = Object.entries(OUTCOMES).filter(([, [, holds]]) => cells.some(holds));
  const symptoms = Object.keys(report.codes);
  const fields = h("div", { class: "fields" },
    ...axes,
    selection("check", "check", same(asked)),
    selection("symptom", "symptom", same(symptoms)),
    selection("outcome", "outcome", outcomes.map(([name, [label]]) => [name, label])),
    h("button", { type: "button", id: "reset", onclick: () => write(nothingChosen()) }, "Clear filters"));
  const details = h("details", { open: roomy.matches || anyFilter(read()) }, h("summary", {}, "Filters"), fields);
  place("filters").replaceChildren(details);
  place("filters").addEventListener("submit", (event) => event.preventDefault());
}

const nothingChosen = () => Object.fromEntries(FILTERS.map((name) => [name, ""]));
const anyFilter = (state) => FILTERS.some((name) => state[name]);

// The axes take rows and columns away; the others only dim, so that what is left has its place.
function chosenBy(state) {
  const onAxes = (cell) => AXES.every((axis) => !state[axis] || cell[axis] === state[axis]);
  const outcome = OUTCOMES[state.outcome]?.[1] ?? (() => true);
  const matches = (cell) => outcome(cell)
    && (!state.symptom || cell.symptoms.includes(state.symptom))
    && (!state.check || cell.outcome.has(state.check));
  return { onAxes, matches };
}

// --- the page ---

const versionsOf = (run) => Object.entries(run.versions).map(([name, number]) => `${name} ${number}`).join(", ");

function showRuns() {
  const same = new Set(report.runs.map(versionsOf)).size === 1;
  const told = report.runs.map((run) => {
    const cut = run.unfinished ? `, interrupted: ${plural(run.unfinished, "cell")} missing` : "";
    return h("div", { class: "run" },
      h("p", {}, h("strong", {}, run.name), `: ${plural(run.cells, "cell")} on ${dateOf(run)}, ${run.engine} engine, ${run.seconds.toFixed(1)} s${cut}`),
      !same && h("p", { class: "versions" }, versionsOf(run)));
  });
  place("runs").replaceChildren(...told, h("p", { class: "versions" },
    `${same ? `${versionsOf(report.runs[0])}; ` : ""}prefix ${report.prefix}; page by hoplab ${report.hoplab}`));
}

function showViews(state) {
  const made = views.map((view) => {
    const number = view === "changes" ? changesOf.size : cells.filter((cell) => cell.view === view).length;
    return h("a", { href: `#${fragmentOf({ ...state, view, cell: "" })}`, "aria-current": state.view === view && "page" },
      VIEWS[view] ?? view, h("span", { class: "number" }, String(number)));
  });
  place("views").replaceChildren(...made);
}

function showLegend(view, some) {
  const suite = report.grids.find((each) => each.suite === view);
  const judged = ([kind]) => some.some((cell) => markOf(cell).kind === kind);
  const signs = [
    ...[
      [PASS, "✓", "passes"], [FAIL, "abc", "fails: the letters stand for the first symptom"],
      [ERROR, "err", "an error of the lab itself"], ["none", "·", "informational only, or not applicable"],
    ].filter(judged),
    some.some((cell) => cell.recipe) && ["pass recipe", "✓", "the recipe"],
    some.some((cell) => cell.surprises.length) && ["surprise", "abc!", "not as predicted"],
    some.some((cell) => cell.changes.length) && ["pass changed", "✓", "changed since the earlier run"],
  ].filter(Boolean);
  place("legend").replaceChildren(
    ...(view === "changes" ? [] : [h("ul", { class: "signs" }, signs.map(([kind, sign, text]) =>
      h("li", {}, h("span", { class: `mark ${kind}`, "aria-hidden": "true" }, sign), text)))]),
    ...(suite?.legend ? [h("p", { class: "meaning" }, suite.legend)] : []),
  );
}

function showSymptoms(state, some) {
  const counts = new Map();
  for (const cell of some) for (const symptom of cell.symptoms) counts.set(symptom, (counts.get(symptom) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  const items = sorted.map(([symptom, number]) => h("li", {}, h("button", {
    type: "button", class: "symptom", "aria-pressed": String(state.symptom === symptom),
    title: report.symptoms[symptom]?.seen, onclick: () => write({ symptom: state.symptom === symptom ? "" : symptom }),
  }, h("span", { class: "code" }, report.codes[symptom]), h("span", {}, symptom), h("span", { class: "number" }, String(number)))));
  const title = h("h2", { id: "symptoms-title" }, items.length ? "Symptoms" : "No symptoms");
  const hint = items.length ? "What fails, and in how many cells. Choose a symptom to see where." : "None of these cells failed.";
  const before = place("symptoms").querySelector("details");
  const list = h("details", { open: before ? before.open : !narrow.matches },
    h("summary", {}, plural(items.length, "symptom")), h("ul", {}, items));
  place("symptoms").replaceChildren(title, h("p", {}, hint), ...(items.length ? [list] : []));
}

function showView(state) {
  const { onAxes, matches } = chosenBy(state);
  const ofView = cells.filter((cell) => cell.view === state.view);
  const some = ofView.filter(onAxes);
  const matching = some.filter(matches);
  for (const name of FILTERS) place(`filter-${name}`).value = state[name] ?? "";
  place("reset").disabled = !anyFilter(state);
  numbered = 0;
  const made = state.view === "changes" ? report.comparisons.map(changes)
    : ["combinations", "own"].includes(state.view) ? combinations(some, state, matches)
      : [variations(matching.length < some.length ? some.filter((cell) => matching.some((each) => each.variation === cell.variation)) : some, state, matches)];
  place("view").replaceChildren(...made);
  place("filters").hidden = place("count").hidden = state.view === "changes";
  const filtered = anyFilter(state) ? `${matching.length} of ${plural(ofView.length, "cell")}` : plural(ofView.length, "cell");
  const passing = matching.filter((cell) => cell.verdict === PASS).length;
  const failing = matching.filter((cell) => cell.verdict === FAIL).length;
  const surprising = matching.filter((cell) => cell.surprises.length).length;
  place("count").textContent = `${filtered}: ${passing} pass, ${failing} fail`
    + (matching.some((cell) => cell.predicted) ? surprising ? `; ${surprising} not as predicted` : ", all as predicted" : "");
  showSymptoms(state, state.view === "changes" ? cells.filter((cell) => cell.changes.length) : some);
  showLegend(state.view, some);
}

function showChosen(state, before) {
  const panel = place("cell");
  const cell = cellsById.get(state.cell);
  for (const each of document.querySelectorAll("[aria-current='true'][data-cell]")) each.removeAttribute("aria-current");
  const button = document.querySelector(`[data-cell="${CSS.escape(state.cell)}"]`);
  button?.setAttribute("aria-current", "true");
  panel.hidden = !cell;
  document.body.classList.toggle("chosen", Boolean(cell));
  place("overview").inert = place("views").inert = Boolean(cell) && narrow.matches;
  if (cell) {
    showCell(cell, panel);
    panel.scrollTop = place("side").scrollTop = 0;
    panel.focus({ preventScroll: true });
  } else if (before?.cell) {
    document.querySelector(`[data-cell="${CSS.escape(before.cell)}"]`)?.focus();
  }
}

let shown;

function render() {
  const state = read();
  const before = shown;
  shown = state;
  const differs = (name) => (before[name] ?? "") !== (state[name] ?? "");
  if (!before || ["view", ...FILTERS].some(differs)) {
    const focused = document.activeElement?.closest("#symptoms button")?.textContent;
    showViews(state);
    showView(state);
    const again = [...document.querySelectorAll("#symptoms button")].find((each) => focused && each.textContent === focused);
    again?.focus();
  }
  if (!before || before.cell !== state.cell) showChosen(state, before);
}

showRuns();
makeFilters();
place("views").hidden = document.querySelector("main").hidden = false;
render();
addEventListener("hashchange", render);
narrow.addEventListener("change", () => showChosen(read()));
addEventListener("keydown", (event) => { if (event.key === "Escape" && read().cell) choose(""); });
// On paper, the letters need their names.
addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("#symptoms details")) each.open = true; });
// As soon as there is time, so that the first cell opens at once.
(window.requestIdleCallback ?? setTimeout)(() => report.runs.forEach((_, run) => evidenceOf(run).catch(() => {})));
performance.mark("usable");
