// At a glance: what the gateway has done, who is behind most of it, and how the store does.

import { link } from "./address.js";
import { byId, el, show, svg } from "./dom.js";
import { many, moment, number } from "./format.js";

export function showGlance({ forwarded = 0, filled = 0, rejected = 0, reported = 0 }) {
  // Each request counts under one of the first three alone; what was reported of some is counted beside them.
  const inspected = forwarded + filled + rejected;
  const share = (count) => (inspected ? `${number(Math.round((count / inspected) * 1000) / 10)} %` : "");
  const tile = (name, count, note, kind) =>
    el("div", { class: `tile ${kind}` }, el("dt", {}, name), el("dd", {}, number(count), el("span", {}, note)));
  show(byId("glance"),
    tile("Inspected", inspected, inspected === 1 ? "email" : "emails", "inspected"),
    tile("Rejected", rejected, share(rejected), "rejected"),
    tile("Filled", filled, share(filled), "filled"),
    tile("Reported", reported, share(reported), "reported"));
}

const TOPS = [
  ["credentials", "Credentials", "credential"],
  ["owners", "Owners", "owner"],
  ["user_agents", "User agents", "text"], // no filter of its own: the text search finds it
];
const SHOWN = 6;
const LONGEST = 256; // characters of a filter

export function showTops(stats) {
  show(byId("tops"), TOPS.map(([key, title, filter]) => top(title, filter, stats[key] ?? [])),
    stats.counted_from ? el("p", { class: "muted" }, "Counted from ", moment(stats.counted_from), " on.") : null);
}

function top(title, filter, totals) {
  const most = totals[0]?.count ?? 1;
  const one = ({ value, count }) => {
    const width = `${Math.max(1, Math.round((count / most) * 100))}%`;
    return el("li", {},
      el("a", { href: link({ [filter]: value.slice(0, LONGEST), rejection: null }), title: value }, value),
      el("span", { class: "count" }, number(count)),
      svg("svg", { class: "bar", "aria-hidden": "true" }, svg("rect", { width, height: "100%", rx: 1.5 })));
  };
  const list = totals.length
    ? el("ol", { class: "top-list" }, totals.slice(0, SHOWN).map(one))
    : el("p", { class: "muted" }, "None known.");
  return el("div", {}, el("h3", {}, title), list);
}

export function showSum(stats) {
  const parts = [`${number(stats.rejected)} rejected`];
  if (stats.reported) parts.push(`${number(stats.reported)} reported`);
  show(byId("sum"), parts.join(", "), stats.series_from ? [", counted from ", moment(stats.series_from), " on"] : null);
}

const STORE = {
  down: "The store of rejections does not answer. The gateway goes on, keeps what is rejected, and brings it here once the store is back.",
  behind: "The store of rejections is behind: the newest rejections show up here late.",
};

export function showStore(store) {
  const text = STORE[store?.status];
  if (!text) {
    show(byId("notice"));
    return;
  }
  const details = [store.reason ? `Reason: ${store.reason}.` : "", store.waiting ? `${many(store.waiting, "entry waits", "entries wait")}.` : ""];
  show(byId("notice"), el("p", { class: `notice ${store.status}` }, [text, ...details].filter(Boolean).join(" ")));
}

export function showProblem(error) {
  show(byId("notice"), el("p", { class: error.status === 404 ? "notice" : "notice down" }, error.message));
}
