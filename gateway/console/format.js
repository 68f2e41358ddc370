// Times in the viewer's zone, with the one of the log beside them; numbers as the viewer's language has them.

import { el } from "./dom.js";

const YEAR = new Date().getFullYear();
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const UTC_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const NUMBER = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact" });

export const number = (value) => NUMBER.format(value);
export const short = (value) => SHORT.format(value);
export const many = (count, one, more = `${one}s`) => `${number(count)} ${count === 1 ? one : more}`;
export const utc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
export const day = (date) => (date.getFullYear() === YEAR ? DAY : DAY_OF_YEAR).format(date);
export const clock = (date) => CLOCK.format(date);

const timed = (iso, write) => {
  const date = new Date(iso);
  return el("time", { datetime: iso, title: utc(date) }, write(date));
};

export const timeOfDay = (iso) => timed(iso, clock);
export const dayOf = (iso) => timed(iso, day);
export const moment = (iso) => timed(iso, (date) => `${day(date)}, ${clock(date)}`);

// Days and weeks of the series begin as UTC has it, so that several people see the same bars.
export function step(date, bucket, long = false) {
  if (bucket === "hour") return long ? `${day(date)}, ${HOUR.format(date)}` : HOUR.format(date);
  const name = UTC_DAY.format(date);
  if (!long) return name;
  return bucket === "week" ? `Week from ${name} (UTC)` : `${name} (UTC)`;
}
