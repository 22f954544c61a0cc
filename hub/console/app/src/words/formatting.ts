/** Numbers, spans and instants as people read them; pure. */

import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 2 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "Europe/London" });

export const count = (value: number | bigint): string => WHOLE.format(value);

/** `0`, `0.42`, `7.1`, `43`, `1,204`: two significant figures below ten, whole numbers above. */
export const rate = (perSecond: number): string => (perSecond === 0 ? "0" : perSecond < 10 ? FINE.format(perSecond) : WHOLE.format(perSecond));

/** A share of one as per cent; what is above none is never shown as none, what is below all never as all. */
export function percent(share: number): string {
  if (share <= 0) return "0%";
  if (share < 0.001) return "<0.1%";
  if (share >= 1) return "100%";
  return share > 0.999 ? ">99.9%" : `${FINE.format(share * 100)}%`.replace(/^100%$/, ">99%");
}

export const milliseconds = (value: number): string => (value < 1000 ? `${rate(value)} ms` : `${FINE.format(value / 1000)} s`);

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** The two largest units of a span: `3 d 4 h`, `12 min`, `0 s`. */
export function span(seconds: number): string {
  let left = Math.round(Math.abs(seconds));
  const first = UNITS.findIndex(([, size]) => left >= size);
  if (first < 0) return "0 s";
  const parts: string[] = [];
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const whole = Math.floor(left / size);
    left -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.join(" ");
}

export const secondsOf = (value: Timestamp | Duration | undefined): number | undefined =>
  value && Number(value.seconds) + value.nanos / 1e9;

/** `2 min ago`, `in 3 d 4 h`, `now`. */
export function relative(at: Timestamp, now = Date.now()): string {
  const ahead = (secondsOf(at) ?? 0) - now / 1000;
  if (Math.abs(ahead) < 1) return "now";
  return ahead < 0 ? `${span(ahead)} ago` : `in ${span(ahead)}`;
}

export const clock = (at: Timestamp): string => CLOCK.format(new Date((secondsOf(at) ?? 0) * 1000));
export const iso = (at: Timestamp): string => new Date((secondsOf(at) ?? 0) * 1000).toISOString();

/** `metip.example.v1.ExampleService/GetExample` → `ExampleService/GetExample`. */
export const shortName = (full: string): string => full.replace(/^.*\.(?=[A-Z])/, "");

/** `CHANGE_OUTCOME_ACCEPTED` with prefix `CHANGE_OUTCOME` → `accepted`. */
export const enumWord = (name: string | undefined, prefix: string): string =>
  (name ?? "unknown").replace(`${prefix}_`, "").replaceAll("_", " ").toLowerCase();

export const plural = (number: number | bigint, one: string, many = `${one}s`): string => `${count(number)} ${Number(number) === 1 ? one : many}`;
