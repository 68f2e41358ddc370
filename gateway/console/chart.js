// How often, over time, by code: bars that stand on each other, and the same as a table.

import { buckets, go, instant, link } from "./address.js";
import { byId, el, show, svg } from "./dom.js";
import { day, many, number, short, step } from "./format.js";

const HEIGHT = 168;
const MARGIN = { top: 10, right: 4, bottom: 22, left: 38 };
const LENGTH = { hour: 3600e3, day: 86400e3, week: 7 * 86400e3 };
const MONDAY = 4 * 86400e3; // 1970 began on a Thursday
const MOST_STEPS = 1000;
const COLOURS = 9;
// These keep their colours, whichever of them comes up.
const CODES = [
  "sender_malformed", "sender_required", "status_required", "status_unknown", "lead_id_required",
  "date_scheduled_required", "send_in_invalid", "send_in_misplaced", "attachment_url_invalid",
];
const TICK_ROOM = 62;

const floor = (time, bucket) => {
  const shift = bucket === "week" ? MONDAY : 0;
  return Math.floor((time - shift) / LENGTH[bucket]) * LENGTH[bucket] + shift;
};

// Every step of the time that is looked at, those without a request too, which the series leaves out.
export function steps(series, bucket, filters) {
  const last = Math.max(floor((instant(filters.until) ?? Date.now()) - 1, bucket), ...series.map(({ at }) => Date.parse(at)));
  const begin = instant(filters.since) ?? (series.length ? new Date(series[0].at) : new Date(last));
  let first = Math.min(floor(begin, bucket), ...series.map(({ at }) => Date.parse(at)));
  first = Math.max(first, last - MOST_STEPS * LENGTH[bucket]);
  const all = new Map();
  for (let at = first; at <= last; at += LENGTH[bucket]) all.set(at, new Map());
  for (const { at, code, count } of series) all.get(Date.parse(at))?.set(code, count);
  return [...all].map(([at, counts]) => ({ at: new Date(at), counts, sum: [...counts.values()].reduce((a, b) => a + b, 0) }));
}

// The least of 1, 2, 5, 10, 20… that is not below it.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value);
}

let drawn = null;
new ResizeObserver(() => drawn && draw(drawn)).observe(byId("chart"));

export function showChart(stats, { bucket, filters }) {
  const codes = [...new Set([...CODES, ...stats.codes.map(({ value }) => value).sort()])];
  drawn = { all: steps(stats.series, bucket, filters), codes, bucket };
  draw(drawn);
  legend(stats.codes, codes, filters);
  choice(bucket, filters);
  table(drawn);
}

const colour = (codes, code) => `code-${codes.indexOf(code) % COLOURS}`;

function draw({ all, codes, bucket }) {
  const width = Math.max(240, byId("chart").clientWidth);
  const most = ceiling(Math.max(...all.map(({ sum }) => sum)));
  const plot = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const bar = plot.width / all.length;
  const gap = bar > 6 ? Math.min(4, bar / 5) : bar > 3 ? 1 : 0;
  const wide = Math.min(bar - gap, 48);
  const y = (value) => MARGIN.top + plot.height * (1 - value / most);

  const lines = [...new Set([0, most / 2, most])].filter(Number.isInteger).map((value) => svg("g", { class: "grid" },
    svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
    svg("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value))));

  const bars = all.map(({ at, counts, sum }, index) => {
    if (!sum) return null;
    const x = MARGIN.left + index * bar + (bar - wide) / 2;
    let below = 0;
    const parts = codes.filter((code) => counts.get(code)).map((code) => {
      const height = Math.max(1, (plot.height * counts.get(code)) / most);
      const part = svg("rect", { class: colour(codes, code), x, y: y(below) - height, width: Math.max(1, wide), height });
      below += counts.get(code);
      return part;
    });
    const text = [...counts].map(([code, count]) => `${code}: ${number(count)}`).join("\n");
    // What can be pointed at is as high as the chart: a bar of one request is hard to meet.
    const target = svg("rect", { class: "target", x: MARGIN.left + index * bar, y: MARGIN.top, width: bar, height: plot.height });
    const group = svg("g", { class: "step" }, svg("title", {}, `${step(at, bucket, true)}\n${text}`), target, parts);
    group.addEventListener("click", () => go(alone(at, bucket))); // the table has the same as a link
    return group;
  });

  const ticks = marked(all, bucket, bar).map(({ index, text }) => {
    const x = MARGIN.left + (index + 0.5) * bar;
    const end = x > width - 24 && all.length > 1;
    return svg("text", { class: "tick", x: end ? width : Math.max(x, 18), y: HEIGHT - 5, "text-anchor": end ? "end" : "middle" }, text);
  });

  show(byId("chart"), svg("svg", {
    class: "chart", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-labelledby": "chart-name chart-what",
  },
  svg("title", { id: "chart-name" }, `Rejections by ${bucket} and code`),
  svg("desc", { id: "chart-what" }, described(all, bucket)), lines, bars, ticks));
}

// Which steps have their time below them, as many as there is room for; of the hours of several days, the midnights.
function marked(all, bucket, bar) {
  const steps = all.map(({ at }, index) => ({ at, index }));
  const days = bucket === "hour" && all.length > 49;
  const candidates = days ? steps.filter(({ at }) => at.getHours() === 0) : steps;
  const every = Math.ceil(TICK_ROOM / (days ? bar * 24 : bar));
  return candidates.reverse().filter((_, place) => place % every === 0)
    .map(({ at, index }) => ({ index, text: days ? day(at) : step(at, bucket) }));
}

function described(all, bucket) {
  const peak = all.reduce((a, b) => (b.sum > a.sum ? b : a));
  if (!peak.sum) return "There was none in this time.";
  return `${many(all.length, bucket)}; the most in one was ${number(peak.sum)}: ${step(peak.at, bucket, true)}. The table below has the numbers.`;
}

// Where that step alone is looked at.
function alone(at, bucket) {
  const iso = (time) => new Date(time).toISOString().replace(".000", "");
  return link({ since: iso(at), until: iso(at.getTime() + LENGTH[bucket]), bucket: null, rejection: null });
}

function legend(totals, codes, filters) {
  show(byId("legend"), totals.map(({ value, count }) => el("li", {},
    svg("svg", { class: "swatch", width: 10, height: 10, "aria-hidden": "true" }, svg("rect", { class: colour(codes, value), width: 10, height: 10, rx: 2 })),
    el("a", { href: link({ code: filters.code === value ? null : value, rejection: null }) }, value),
    el("span", { class: "count" }, number(count)))));
}

function choice(bucket, filters) {
  const allowed = buckets(filters);
  show(byId("buckets"), ["hour", "day", "week"].map((name) => (allowed.includes(name)
    ? el("a", { href: link({ bucket: name }), "aria-current": name === bucket ? "true" : null }, name)
    : el("span", { title: "Choose a shorter period for this" }, name))));
}

function table({ all, codes, bucket }) {
  const some = all.filter(({ sum }) => sum).reverse();
  if (!some.length) {
    show(byId("chart-table"), el("p", { class: "muted" }, "There was none in this time."));
    return;
  }
  const present = codes.filter((code) => some.some(({ counts }) => counts.has(code)));
  const line = ({ at, counts, sum }) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: alone(at, bucket) }, step(at, bucket, true))),
    present.map((code) => el("td", {}, number(counts.get(code) ?? 0))), el("td", {}, number(sum)));
  const head = [bucket[0].toUpperCase() + bucket.slice(1), ...present, "All"].map((name) => el("th", { scope: "col" }, name));
  show(byId("chart-table"), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rejections over time" },
    el("table", { class: "numbers" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, some.map(line)))));
}
