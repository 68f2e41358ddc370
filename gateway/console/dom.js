// Elements are made here and nowhere else: a text becomes a text node, so that nothing from outside is read as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...present(children)); // a string becomes a text node
  return element;
}

const present = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined);

export const el = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

export const show = (target, ...children) => target.replaceChildren(...present(children));

export function button(label, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

// The text of what is copied, with its button. Browsers keep the clipboard from pages that came over plain HTTP from
// another machine; there the text is selected, ready for the key that copies.
export function copyable(text, label) {
  const shown = el("pre", { tabindex: "0", role: "region", "aria-label": label }, el("code", {}, text));
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      copy.textContent = "Selected";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  }, { class: "copy", "aria-label": `Copy: ${label}`, "aria-live": "polite" });
  return el("div", { class: "copyable" }, shown, copy);
}
