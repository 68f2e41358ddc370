// The filters: the form and the address bar say the same, and each filter in force can be taken away by itself.

import { FILTERS, go, link, narrowing, PERIODS } from "./address.js";
import { byId, el, show } from "./dom.js";

const NAMES = {
  text: "text", code: "code", owner: "owner", credential: "credential", email_status: "email status", path: "path",
  client: "client", request_id: "request id", lead_id: "lead", until: "until",
};
const HIDDEN = FILTERS.filter((name) => !["text", "code", "since"].includes(name));
const form = byId("filters");
let known = [
  "attachment_url_invalid", "date_scheduled_required", "lead_id_required", "send_in_invalid", "send_in_misplaced",
  "sender_malformed", "sender_required", "status_required", "status_unknown",
];

export function listen() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  for (const name of ["since", "code"]) form.elements[name].addEventListener("change", apply);
}

function apply() {
  const changes = { rejection: null };
  for (const name of FILTERS) changes[name] = form.elements[name].value.trim();
  go(link(changes));
}

export function showFilters(filters) {
  options(form.elements.since, periods(filters.since), filters.since);
  codes(filters.code);
  for (const name of FILTERS) if (!["since", "code"].includes(name)) form.elements[name].value = filters[name] ?? "";
  if (HIDDEN.some((name) => filters[name])) byId("more-filters").open = true;
  show(byId("chips"), narrowing(filters).map((name) => el("li", {},
    el("a", { href: link({ [name]: null, rejection: null }), title: "Take this filter away" },
      el("span", { class: "name" }, `${NAMES[name]}: `), el("span", { class: "value" }, filters[name]),
      el("span", { class: "cross", "aria-label": ", take it away", role: "img" }, "✕")))));
}

// Codes that came up are offered beside those that are known.
export function learnCodes(totals, chosen) {
  known = [...new Set([...known, ...totals.map(({ value }) => value)])].sort();
  codes(chosen);
}

const codes = (chosen) =>
  options(form.elements.code, [["", "any"], ...new Set(chosen ? [...known, chosen] : known)].map((one) => (Array.isArray(one) ? one : [one, one])), chosen ?? "");

const periods = (since) =>
  since in PERIODS ? Object.entries(PERIODS) : [...Object.entries(PERIODS), [since, `since ${since}`]];

function options(select, offered, chosen) {
  const now = [...select.options].map(({ value }) => value);
  if (now.join("\n") !== offered.map(([value]) => value).join("\n")) {
    show(select, offered.map(([value, label]) => el("option", { value }, label)));
  }
  select.value = chosen;
}

// The API names the filters that it does not understand.
export function showProblems(fields) {
  for (const name of FILTERS) {
    form.elements[name].setAttribute("aria-invalid", String(name in fields));
    if (name in fields && HIDDEN.includes(name)) byId("more-filters").open = true;
  }
}
