// What is looked at stands in the address bar and nowhere else, so that a view can be shared and a step be taken back.

export const FILTERS = [
  "text", "code", "owner", "credential", "email_status", "path", "client", "request_id", "lead_id", "since", "until",
];
export const PERIODS = { "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days", "90d": "last 90 days", all: "all time" };
const DEFAULT_PERIOD = "7d";
const BUCKETS = ["hour", "day", "week"];
const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const FEW_ENOUGH = 31 * 86400e3; // by the hour, more than a month has more bars than a screen has room for

export function read() {
  const query = new URLSearchParams(location.search);
  const filters = {};
  for (const name of FILTERS) if (query.get(name)) filters[name] = query.get(name);
  filters.since ??= DEFAULT_PERIOD;
  const asked = query.get("bucket");
  const allowed = buckets(filters);
  return {
    filters,
    bucket: allowed.includes(asked) ? asked : usual(filters),
    rejection: query.get("rejection"),
  };
}

// Those filters as the API takes them.
export function asked(filters) {
  const { since, ...others } = filters;
  return since === "all" ? others : filters;
}

export const isDefault = (filters) => Object.keys(filters).length === 1 && filters.since === DEFAULT_PERIOD;
export const narrowing = (filters) => Object.keys(filters).filter((name) => name !== "since");

// Where a link leads that changes this much of the view; null takes something out of it.
export function link(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "" || (name === "since" && value === DEFAULT_PERIOD)) query.delete(name);
    else query.set(name, value);
  }
  return `?${query}`;
}

export const cleared = () => "?";

// When what is written here began or ends: "24h" ago, or a time. Null: at no time.
export function instant(text) {
  const age = /^(\d+)([smhdw])$/.exec(text ?? "");
  if (age) return new Date(Date.now() - age[1] * SECONDS[age[2]] * 1000);
  const date = new Date(text ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function buckets(filters) {
  const from = instant(filters.since);
  const until = instant(filters.until) ?? new Date();
  return from !== null && until - from <= FEW_ENOUGH ? BUCKETS : BUCKETS.slice(1);
}

function usual(filters) {
  const from = instant(filters.since);
  if (from === null) return "week";
  const days = ((instant(filters.until) ?? Date.now()) - from) / 86400e3;
  return days <= 2.1 ? "hour" : days <= 31 ? "day" : "week";
}

export function go(href, { replace = false, opened = false } = {}) {
  history[replace ? "replaceState" : "pushState"]({ opened }, "", href === "?" ? location.pathname : href);
  dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
}

// A link within the page changes the address; with a key that asks for a new tab or window, it does what links do.
export function follow() {
  addEventListener("click", (event) => {
    const href = event.target.closest?.("a[href^='?'], a[href^='#']")?.getAttribute("href");
    if (!href || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (href.startsWith("#")) {
      document.querySelector(href).focus(); // and no part of the address, to which a step back would lead
      return;
    }
    const before = read().rejection;
    const after = new URLSearchParams(href).get("rejection");
    go(href, { opened: !before && Boolean(after) });
  });
}
