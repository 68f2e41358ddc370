// One rejection: what is wrong, what to change, what was sent, and what else came from there.

import { ask } from "./api.js";
import { go, link } from "./address.js";
import { button, byId, copyable, el, show } from "./dom.js";
import { dayOf, moment, number, timeOfDay } from "./format.js";

const dialog = byId("detail");
let shown = null;
let asking = null;

export function listen() {
  dialog.addEventListener("close", () => {
    if (shown === null) return; // the address has changed already
    shown = null;
    if (history.state?.opened) history.back();
    else go(link({ rejection: null }), { replace: true });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

export async function showDetail(id) {
  if (id === shown) return;
  asking?.abort();
  shown = id;
  if (id === null) {
    dialog.close();
    return;
  }
  asking = new AbortController();
  let parts;
  try {
    parts = told(await ask(`/api/rejections/${encodeURIComponent(id)}`, {}, asking.signal));
  } catch (error) {
    if (error.name === "AbortError") return;
    const gone = error.status === 404;
    parts = [heading(gone ? "This rejection is not kept" : "That did not work"),
      el("p", {}, gone ? "It may be older than the store keeps entries, or the link was cut short." : error.message)];
  }
  show(dialog, el("div", { class: "sheet" }, el("div", { class: "bar-top" }, button("Close", () => dialog.close(), { class: "close" })), parts));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  byId("detail-title").focus();
}

const heading = (text) => el("h2", { id: "detail-title", tabindex: "-1" }, text);
const section = (title, ...children) => el("section", {}, el("h3", {}, title), children);

function told({ data: entry, explanation, others }) {
  return [
    heading(entry.code),
    el("p", { class: "muted lead" }, entry.enforced ? "Rejected " : "Reported ", moment(entry.at),
      entry.count > 1 ? [`, and ${number(entry.count - 1)} more like it until `, moment(entry.last_at)] : null, "."),
    explanation ? section("What is wrong", el("p", {}, explanation.rule), source(explanation.source)) : null,
    explanation ? section("What to change", el("p", {}, explanation.fix),
      copyable(json(explanation.example), "JSON that passes"), copyable(explanation.curl, "The same as a curl line")) : null,
    section("What was sent", facts(entry), shape(entry.shape), captured(entry.captured)),
    section("Others from this sender", other(entry, others)),
  ];
}

// Indented, but for lists of one: those read better on one line.
const json = (example) => JSON.stringify(example, null, 2).replace(/\[\n\s+("[^\n]*")\n\s+\]/g, "[$1]");

// A link where it is one, and nothing else that a browser would follow.
function source(text) {
  const [, before, url, after] = /^(.*?)(https:\/\/[^\s)]+)(.*)$/s.exec(text) ?? [null, text, null, ""];
  const linked = url ? el("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, url) : null;
  return el("p", { class: "muted source" }, "Source: ", before, linked, after);
}

function facts(entry) {
  const filter = (name, value) => (value ? el("a", { href: link({ [name]: value, rejection: null }) }, value) : null);
  const all = [
    ["Request", `${entry.method} ${entry.path}`],
    ["Status of the email", entry.email_status],
    ["Lead", filter("lead_id", entry.lead_id)],
    ["Email", entry.email_id],
    ["Owner", filter("owner", entry.owner)],
    ["Credential", filter("credential", entry.credential)],
    ["Client", filter("client", entry.client)],
    ["User agent", entry.user_agent],
    ["Answer", entry.status ? `${entry.status}, after ${number(entry.elapsed_ms)} ms${entry.enforced ? "" : ", for something else"}` : "Close's own"],
    ["Request id", entry.request_id],
    ["Gateway", entry.instance],
  ];
  return el("dl", { class: "facts" }, all.filter(([, value]) => value)
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function shape(what) {
  if (!what) return el("p", { class: "muted" }, "What the body looked like is not kept for requests that were counted together.");
  const fields = Object.entries(what.fields ?? {});
  const line = ([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value));
  const missing = "sender" in (what.fields ?? {}) ? [] : [el("tr", { class: "lacking" }, el("th", { scope: "row" }, "sender"), el("td", {}, what.sender))];
  const others = what.others ? `, ${number(what.others)} of them not documented by Close` : "";
  return [
    el("table", { class: "shape" },
      el("caption", {}, `The body: ${number(what.bytes)} bytes, ${number(fields.length + (what.others ?? 0))} fields${others}`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Field"), el("th", { scope: "col" }, "What it held"))),
      el("tbody", {}, missing, fields.map(line))),
  ];
}

const captured = (text) => (text === null || text === undefined ? null : copyable(text, "The body as captured"));

function other(entry, others) {
  if (!others?.length) return el("p", { class: "muted" }, "None is kept.");
  const one = (rejection) => el("li", {},
    el("a", { href: link({ rejection: rejection.id }) }, dayOf(rejection.at), " ", timeOfDay(rejection.at)),
    el("span", {}, rejection.code), el("span", { class: "muted" }, `${rejection.method} ${rejection.path}`));
  const [name, value] = entry.credential ? ["credential", entry.credential] : ["client", entry.client];
  return [el("ul", { class: "others" }, others.map(one)),
    el("p", {}, el("a", { href: link({ [name]: value, rejection: null }) }, "Show them all in the list"))];
}
