// The page: it is shown as the address and the server say.

let before;

function render() {
  const state = read();
  place("predict").checked = Boolean(state.predict);
  showGrid();
  showTopology();
  showRequest();
  const asked = ["topology", "beside", "scheme", "method", "path", "headers"];
  const differs = (name) => (before?.[name] ?? "") !== (state[name] ?? "");
  // By its address alone, a page sends only what changes nothing.
  const harmless = ["GET", "HEAD", "OPTIONS", "WEBSOCKET"].includes(state.method);
  if (state.path && (wanted || (harmless && asked.some(differs)))) send();
  else if (before?.predict !== state.predict) showWays();
  before = state;
}

let made = false;

function show() {
  if (!lab.words) return;
  if (!made) {
    made = true;
    makeGrid();
    makeTopology();
    makeRequest();
    makeWays();
    showWays();
    document.querySelector("main").hidden = false;
    performance.mark("usable");
    render();
    return;
  }
  showGrid();
  showTopology();
}

place("predict").addEventListener("change", () => {
  lab.revealed.clear();
  if (answered) answered.revealed = 1;
  write({ predict: place("predict").checked ? "1" : "" });
});
addEventListener("hashchange", () => { if (made) render(); });

async function begin() {
  try {
    lab.words = await ask("/words");
  } catch (error) {
    connection(false);
    setTimeout(begin, AGAIN);
    return;
  }
  if (lab.states.size) show();
}

listen(show);
begin();
