// The list: newest first, live unless paused, and more of it on request.

import { ask } from "./api.js";
import { asked, cleared, isDefault, link, PERIODS } from "./address.js";
import { button, byId, el, show } from "./dom.js";
import { emptyState } from "./empty.js";
import { dayOf, many, number, timeOfDay } from "./format.js";

const PAGE = 50;
const MOST_SHOWN = 1000;
const EMPTY_PAGES = 10; // a page may be empty and not the last: how many of those are read before asking whether to go on
const HEADINGS = ["Time", "What", "Whose", "Request", "Client"];

export class List {
  #filters = {};
  #entries = []; // those that are shown
  #ids = new Set();
  #waiting = [];
  #next = null;
  #loading = null;
  #body = null;
  paused = false;
  failed = false;

  constructor() {
    this.pause = byId("pause");
    this.pause.addEventListener("click", () => (this.paused ? this.resume() : this.hold()));
  }

  // Read the first page. What it has beyond what is shown arrives; where nothing joins the two, the list begins anew.
  async load(filters, { anew }) {
    if (anew) {
      this.#begin(filters);
      show(byId("more"), el("p", { class: "loading" }, "Loading…")); // what is shown goes once there is something else
    } else if (this.#loading) return;
    const known = this.#ids.size > 0 || this.#waiting.length > 0;
    const page = await this.#page(null);
    if (page === null) return;
    const fresh = page.data.filter((entry) => !this.#knows(entry));
    if (known && fresh.length < page.data.length) {
      for (const entry of fresh.reverse()) this.arrive(entry);
      this.#foot();
      return;
    }
    if (known) this.#begin(filters);
    this.#next = page.next;
    for (const entry of page.data) this.#append(entry);
    this.#foot();
  }

  arrive(entry) {
    if (this.#knows(entry)) return;
    if (this.paused) {
      this.#waiting.push(entry);
      this.#label();
      return;
    }
    if (!this.#body) this.#table();
    const found = this.#entries.findIndex((other) => other.at <= entry.at);
    const place = found < 0 ? this.#entries.length : found;
    this.#ids.add(entry.id);
    this.#body.insertBefore(row(entry, true), this.#body.children[place] ?? null);
    this.#entries.splice(place, 0, entry);
    if (this.#entries.length > MOST_SHOWN) this.load(this.#filters, { anew: true });
  }

  hold() {
    this.paused = true;
    this.#label();
  }

  resume() {
    this.paused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) this.arrive(entry);
    this.#label();
  }

  #label() {
    const count = this.#waiting.length;
    this.pause.textContent = !this.paused ? "Pause" : count ? `Resume (${number(count)} new)` : "Resume";
    this.pause.classList.toggle("waiting", count > 0);
  }

  #knows(entry) {
    return this.#ids.has(entry.id) || this.#waiting.some((other) => other.id === entry.id);
  }

  #begin(filters) {
    this.#loading?.abort();
    this.#filters = filters;
    this.#entries = [];
    this.#ids = new Set();
    this.#waiting = [];
    this.#next = null;
    this.#body = null;
    this.#label();
  }

  // Null: something newer is being read, or it failed and the page says so.
  async #page(cursor) {
    const loading = new AbortController();
    this.#loading = loading;
    byId("list").setAttribute("aria-busy", "true");
    try {
      this.failed = false;
      let page = { data: [], next: cursor };
      for (let tries = 0; tries < EMPTY_PAGES && !page.data.length && (page.next || !tries); tries += 1) {
        const place = page.next ? { cursor: page.next } : {};
        page = await ask("/api/rejections", { ...asked(this.#filters), limit: PAGE, ...place }, loading.signal);
      }
      return page;
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error);
      return null;
    } finally {
      if (this.#loading === loading) {
        this.#loading = null;
        byId("list").setAttribute("aria-busy", "false");
      }
    }
  }

  #fail(error) {
    this.failed = true;
    const again = button("Try again", () => this.load(this.#filters, { anew: !this.#entries.length }));
    show(byId("more"), el("p", { class: "problem", role: "alert" }, error.message), again);
    if (!this.#entries.length) show(byId("rows"));
  }

  #table() {
    this.#body = el("tbody", { role: "rowgroup" });
    const head = el("tr", { role: "row" }, HEADINGS.map((name) => el("th", { role: "columnheader", scope: "col" }, name)));
    show(byId("rows"), el("table", { role: "table", "aria-labelledby": "list-title" },
      el("thead", { role: "rowgroup" }, head), this.#body));
    show(byId("more"));
  }

  #append(entry) {
    if (this.#knows(entry)) return;
    if (!this.#body) this.#table();
    this.#ids.add(entry.id);
    this.#entries.push(entry);
    this.#body.append(row(entry, false));
  }

  #foot() {
    const more = byId("more");
    if (this.#next) {
      const label = this.#entries.length ? "Show more" : "Nothing found so far. Look further back";
      show(more, button(label, () => this.#further()));
    } else if (this.#entries.length) {
      show(more, el("p", { class: "muted" }, `That is all: ${many(this.#entries.length, "entry", "entries")}.`));
    } else if (isDefault(this.#filters) || (this.#filters.since === "all" && Object.keys(this.#filters).length === 1)) {
      show(byId("rows"), emptyState(this.#filters.since));
      show(more);
    } else {
      show(byId("rows"));
      show(more, el("p", {}, "No rejection is like that ", within(this.#filters), "."),
        el("p", {}, el("a", { href: link({ since: "all" }) }, "Look at all time"), " or ",
          el("a", { href: cleared() }, "take the filters away"), "."));
    }
  }

  async #further() {
    const page = await this.#page(this.#next);
    if (page === null) return;
    this.#next = page.next;
    const first = this.#body?.children.length ?? 0;
    for (const entry of page.data) this.#append(entry);
    this.#foot();
    this.#body?.children[first]?.querySelector("a").focus(); // else the keyboard is back at the top of the page
  }
}

const within = ({ since, until }) =>
  until ? "in that time" : since === "all" ? "at any time" : PERIODS[since] ? `in the ${PERIODS[since]}` : `since ${since}`;

const brief = (path) => path.replace(/^\/api\/v1\//, "…/"); // what nearly all begin with

const cell = (name, first, second) =>
  el("td", { role: "cell", class: name }, el("div", { class: "first" }, first), el("div", { class: "second" }, second));

function row(entry, fresh) {
  const open = el("a", { href: link({ rejection: entry.id }), class: "open" }, timeOfDay(entry.at));
  const more = [
    entry.email_status ? `status ${entry.email_status}` : "no status",
    entry.enforced ? null : el("span", { class: "badge" }, "reported"),
    entry.count > 1 ? el("span", { class: "badge", title: "These came so fast that they are kept as one" }, `× ${number(entry.count)}`) : null,
  ];
  return el("tr", { role: "row", class: fresh ? "fresh" : null },
    cell("when", open, dayOf(entry.at)),
    cell("what", el("span", { class: "code" }, entry.code), more),
    cell("whose", entry.owner ?? entry.credential ?? "no credential", entry.owner ? entry.credential : null),
    cell("request", el("span", { title: entry.path }, `${entry.method} ${brief(entry.path)}`), entry.lead_id),
    cell("client", el("span", { title: entry.user_agent }, entry.user_agent ?? "no user agent"), entry.client));
}
