// Joins the parts: what the address bar says is what they show.

import { ask } from "./api.js";
import { asked, follow, read } from "./address.js";
import { showChart } from "./chart.js";
import * as detail from "./detail.js";
import { byId } from "./dom.js";
import * as filters from "./filters.js";
import { many } from "./format.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { showGlance, showProblem, showStore, showSum, showTops } from "./stats.js";

const SOON = 1000; // after a rejection that arrived, the counts are asked for again; not for each of many
const OFTEN = 30000;
const FIRST = 1500; // how long the list waits for the stream to begin, so that nothing falls between the two

let view = null;
let counting = null;
let soon = 0;
let first = 0;
let fresh = 0;
let amiss = false;
const list = new List();
const live = new Live({
  arrived(entry) {
    list.arrive(entry);
    fresh += 1;
    soon ||= setTimeout(tell, SOON);
  },
  opened() {
    state("Live");
    load();
    if (amiss) count(); // what was down is up again
  },
  missing() {
    state("Not live at the moment");
    load();
  },
});

function state(text) {
  const shown = byId("live");
  if (shown.textContent !== text) shown.textContent = text;
  shown.classList.toggle("on", text === "Live");
}

// The first page is read once the stream has begun, and again whenever it begins anew.
let anew = true;
function load() {
  clearTimeout(first);
  list.load(view.filters, { anew });
  anew = false;
}

// Who listens to the page hears of new rejections, a few at a time.
function tell() {
  byId("said").textContent = many(fresh, "new rejection");
  fresh = 0;
  count();
}

async function count() {
  clearTimeout(soon);
  soon = 0;
  counting?.abort();
  const mine = new AbortController();
  counting = mine;
  const now = view;
  try {
    const stats = await ask("/api/stats", { ...asked(now.filters), bucket: now.bucket }, mine.signal);
    showGlance(stats.inspected ?? {});
    showSum(stats);
    showChart(stats, now);
    showTops(stats);
    showStore(stats.store);
    filters.learnCodes(stats.codes, now.filters.code);
    filters.showProblems({});
    panels(true);
    amiss = false;
    if (list.failed) load();
  } catch (error) {
    if (error.name === "AbortError") return;
    amiss = true;
    showProblem(error);
    if (!counted) panels(false);
    if (error.status === 404) withoutStore();
    // What the gateway counts, it counts without a store all the same.
    if (error.status) showGlance((await ask("/healthz")).counts ?? {});
    filters.showProblems(error.fields ?? {});
  }
}

// There is no frame around nothing: where the counts never came, the panels that show them stay away.
let counted = false;
function panels(shown) {
  counted ||= shown;
  for (const panel of document.querySelectorAll(".over-time, .tops")) panel.hidden = !shown;
}

// Nothing is kept, and so there is nothing to filter, to draw or to list.
function withoutStore() {
  live.stop();
  clearTimeout(first);
  for (const part of [byId("filters"), document.querySelector(".columns")]) part.hidden = true;
}

function render() {
  const before = view;
  view = read();
  const same = before !== null && JSON.stringify(before.filters) === JSON.stringify(view.filters);
  if (!same) {
    filters.showFilters(view.filters);
    anew = true;
    live.start(asked(view.filters));
    clearTimeout(first);
    first = setTimeout(load, FIRST);
  }
  if (!same || before.bucket !== view.bucket) count();
  detail.showDetail(view.rejection);
}

addEventListener("popstate", render);
follow();
filters.listen();
detail.listen();
setInterval(() => document.hidden || count(), OFTEN);
render();
