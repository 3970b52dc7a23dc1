// Elements. A value that came from a result becomes text here, or an attribute's value; never markup.

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  const shown = (child) => child !== "" && child !== undefined && child !== false;
  element.append(...children.flat(Infinity).filter(shown));
  return element;
}

function plural(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

// A text of the catalogue, whose `words` in backticks are code.
function prose(text) {
  return text.split("`").map((piece, number) => (number % 2 ? h("code", {}, piece) : piece));
}

function dateOf(run) {
  return run.started.replace("T", " ").replace("Z", " UTC");
}

// Links lead to https pages only, whatever stands in a file.
function link(address) {
  const shown = address.replace(/^https:\/\//, "");
  return address.startsWith("https://") ? h("a", { href: address, rel: "noreferrer" }, shown) : shown;
}

function links(addresses) {
  const items = [...new Set(addresses)].map((each) => h("li", {}, link(each)));
  return items.length ? h("ul", { class: "links" }, items) : "";
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", {}, text);
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function copyButton(text, what) {
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await copy(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Failed";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return button;
}

// Lines to copy; those that begin with + and - are a diff.
function lines(told, what, copied = told.join("\n")) {
  const shown = told.map((line) => {
    const kind = line.startsWith("+ ") ? "ins" : line.startsWith("- ") ? "del" : "span";
    return h(kind, { class: "line" }, line);
  });
  const label = `${what[0].toUpperCase()}${what.slice(1)}`;
  const code = h("pre", { tabindex: "0", role: "group", "aria-label": label }, shown);
  return h("div", { class: "copied" }, code, copyButton(copied, what));
}
