// The overview, which is read at once, and the evidence of each run, which is unpacked when needed.

const report = JSON.parse(document.getElementById("data").textContent);
const texts = report.texts;

const AXES = ["proxy", "mode", "server", "strategy", "trust", "scheme"];

const PASS = "pass", FAIL = "fail", ERROR = "error";

function idOf(cell) {
  const topology = `${cell.proxy}-${cell.server}-${cell.mode}`;
  const variation = cell.variation && `+${cell.variation}`;
  return `${topology}.${cell.strategy}.${cell.trust}.${cell.scheme}${variation}`;
}

// The changes of each cell since an earlier run, by its id.
const changesOf = new Map();
for (const comparison of report.comparisons) {
  for (const change of comparison.changes) {
    for (const [id, detail] of Object.entries(change.cells)) {
      const known = changesOf.get(id) ?? [];
      changesOf.set(id, [...known, { ...change, detail }]);
    }
  }
}

// A check may say no in several ways: all of its symptoms.
function symptomsByCheck(failed) {
  const found = new Map();
  for (const [check, symptom] of failed) found.set(check, [...(found.get(check) ?? []), symptom]);
  return found;
}

const cells = report.cells.map((told) => {
  const outcome = texts[told.outcome];
  const failed = outcome.filter(([, answer]) => Object.hasOwn(report.codes, answer));
  const id = idOf(told);
  return {
    ...told,
    id,
    outcome: new Map(outcome),
    failed: symptomsByCheck(failed),
    symptoms: [...new Set(failed.map(([, symptom]) => symptom))],
    surprises: told.surprises === undefined ? [] : texts[told.surprises],
    changes: changesOf.get(id) ?? [],
    view: told.suite !== "contract" ? told.suite : told.variation ? "variations" : "combinations",
  };
});
const cellsById = new Map(cells.map((cell) => [cell.id, cell]));

// In the order in which they come.
function valuesOf(axis, some = cells) {
  return [...new Set(some.map((cell) => cell[axis]))];
}

const packed = [...document.querySelectorAll("script[data-evidence]")];
const unpacked = new Map();

async function unpack(run) {
  const bytes = Uint8Array.from(atob(packed[run].textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

// The results file's tables of this run. Rejects where the browser can't unpack them.
function evidenceOf(run) {
  if (!unpacked.has(run)) unpacked.set(run, unpack(run));
  return unpacked.get(run);
}

// A cell's findings with their exchanges, with the cell's own values filled in.
async function findingsOf(cell) {
  const file = await evidenceOf(cell.run);
  const { values = {}, findings } = file.cells[cell.at];
  const filled = (text) =>
    text.replace(/\$(?:\$|\{(\w+)\})/g, (_, name) => (name ? values[name] : "$"));
  const headers = (list) =>
    file.header_lists[list].map((number) => filled(file.headers[number]));
  return findings.map((number) => {
    const finding = file.findings[number];
    const exchanges = (finding.exchanges ?? []).map((each) => {
      const told = file.exchanges[each];
      return {
        method: told.method,
        url: filled(told.url),
        sent: headers(told.request_headers),
        status: told.status,
        answered: headers(told.response_headers),
        body: told.body === undefined ? "" : filled(file.bodies[told.body]),
      };
    });
    return { ...finding, detail: filled(finding.detail), exchanges };
  });
}
