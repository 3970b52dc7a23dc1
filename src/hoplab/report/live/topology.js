// The chosen topology: break it, fix it, and what was found.

// Of each topology, what it can be changed to; it does not depend on what it is now.
const possible = new Map();

async function loadPossible(topology) {
  if (possible.has(topology)) return;
  possible.set(topology, []);
  try {
    possible.set(topology, await ask(`/possible?topology=${encodeURIComponent(topology)}`));
  } catch (error) {
    possible.delete(topology);
    say(error.message);
  }
  if (read().topology === topology) showTopology();
}

// What was changed, and what was killed, gets its recipe again.
const fixable = (state) => Boolean(state.change) || state.state === "down";

const say = (text) => { place("said").textContent = text; };

async function alter(path, body, doing) {
  say(doing);
  place("alter").disabled = true;
  try {
    await ask(path, body);
    say("");
  } catch (error) {
    say(error.message);
  }
  place("alter").disabled = false;
}

// As difflib.unified_diff writes them, or with a space after the sign.
function diffOf(diff) {
  return diff.map((line) => {
    const head = line.startsWith("---") || line.startsWith("+++") || line.startsWith("@@");
    const kind = head ? "span" : line[0] === "+" ? "ins" : line[0] === "-" ? "del" : "span";
    return h(kind, { class: head ? "line head" : "line" }, line.replace(/\n$/, "") || " ");
  });
}

let selected = new Map(); // of each topology, the change that is chosen in its list

function showTopology() {
  const state = lab.states.get(read().topology);
  if (!state) return;
  loadPossible(state.topology);
  place("chosen-title").textContent = state.topology;
  const links = Object.entries(state.urls).flatMap(([scheme, url]) =>
    /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url)
      ? [h("a", { href: `${url}/docs`, target: "_blank", rel: "noreferrer" }, `${scheme} docs`)] : []);
  place("links").replaceChildren(...(links.length ? links.flatMap((each, number) => [number ? " · " : "", each]) : [" "]));
  showChange(state);
  showFindings(state);
}

function showChange(state) {
  const changes = possible.get(state.topology) ?? [];
  const select = place("change");
  const now = state.change;
  const wanted = now?.name ?? selected.get(state.topology) ?? changes[0]?.name ?? "";
  const names = changes.map((each) => each.name);
  if (now && !names.includes(now.name)) names.unshift(now.name);
  const listed = [...select.options].map((each) => each.value);
  if (listed.join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
  }
  select.value = wanted;
  select.disabled = Boolean(now) || !names.length;
  place("alter").textContent = fixable(state) ? "Fix it" : "Break it";
  place("alter").disabled = !names.length && !fixable(state);
  const shown = now ?? changes.find((each) => each.name === wanted);
  place("change-about").replaceChildren(...prose(shown?.about ?? ""));
  place("diff").replaceChildren(...(shown ? diffOf(shown.diff) : []));
  place("diff").setAttribute("aria-label", now ? `Applied: ${now.name}` : "The change as a diff");
}

function showFindings(state) {
  const content = [];
  if (state.message) content.push(h("p", { class: "message" }, h("strong", {}, {
    refused: "Refused; the last good files keep running. ", down: "Down. ",
  }[state.state] ?? ""), h("span", { class: "verbatim" }, state.message)));
  if (hidden(state)) {
    content.push(h("p", {}, "Hidden: make your prediction first. "), h("button", {
      type: "button", class: "quiet", id: "reveal-one",
      onclick: () => {
        lab.revealed.set(state.topology, changeOf(state));
        showGrid();
        showTopology();
      },
    }, "Show the verdict"));
  } else {
    if (state.asking) content.push(h("p", {}, "Asking again …"));
    if (!state.cells.length && !state.asking) content.push(h("p", {}, "Not asked yet."));
    content.push(...state.cells.map((cell) => findingsOf(state, cell)));
    const repaired = state.changed.filter((check) => !wrongOf(state).has(check));
    if (repaired.length && state.cells.length && !state.asking) content.push(h("p", {}, `Passes now: ${repaired.join(", ")}.`));
  }
  const box = place("findings");
  const before = [...box.querySelectorAll("details[open]")].map((each) => each.dataset.finding);
  box.replaceChildren(...content);
  for (const each of box.querySelectorAll("details")) each.open = before.includes(each.dataset.finding);
}

function findingsOf(state, cell) {
  const passed = cell.verdict === "pass" ? `passes (${plural(cell.asked, "check")})` : plural(cell.wrong.length, "finding");
  const wrong = cell.wrong.map((each) => {
    const meaning = lab.words.symptoms[each.symptom];
    return h("details", { class: `finding ${each.verdict}`, "data-finding": `${cell.scheme} ${each.check} ${each.symptom}` },
      h("summary", {}, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[each.verdict] ?? "?"),
        h("span", {}, h("b", {}, each.check), `: ${each.symptom ?? each.verdict}`,
          !state.asking && state.changed.includes(each.check) && h("span", { class: "new" }, " changed"))),
      lab.words.checks[each.check] ? h("p", { class: "question" }, prose(lab.words.checks[each.check])) : "",
      h("p", {}, each.detail),
      meaning ? h("p", { class: "so" }, prose(meaning.seen)) : "",
      meaning ? h("p", { class: "so" }, "Why: ", prose(meaning.cause)) : "");
  });
  return h("div", {}, h("h4", {}, h("span", { class: `sign ${cell.verdict}`, "aria-hidden": "true" }, SIGNS[cell.verdict] ?? "–"),
    `${cell.scheme}: ${passed}`), wrong);
}

function makeTopology() {
  const select = h("select", { id: "change" });
  select.addEventListener("change", () => {
    const { topology } = read();
    selected.set(topology, select.value);
    showChange(lab.states.get(topology));
  });
  const button = h("button", {
    type: "button", id: "alter",
    onclick: () => {
      const state = lab.states.get(read().topology);
      const { topology } = state;
      if (fixable(state)) alter("/fix", { topology }, "Fixing …");
      else alter("/change", { topology, name: select.value }, "Breaking …");
    },
  }, "Break it");
  place("chosen").replaceChildren(
    h("h2", { id: "chosen-title" }, " "),
    h("p", { id: "links" }, " "),
    h("div", { class: "row" }, h("span", { class: "grow" }, h("label", { for: "change" }, "Wrong configuration"), select), button),
    h("p", { id: "said", role: "status" }),
    h("p", { id: "change-about" }),
    h("pre", { id: "diff", tabindex: "0", role: "group", "aria-label": "The change as a diff" }),
    h("h3", { id: "findings-title" }, "Findings"),
    h("div", { id: "findings", tabindex: "0", role: "group", "aria-labelledby": "findings-title" }),
  );
}
