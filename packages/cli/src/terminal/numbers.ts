/** Numbers as people read them; `–` is a number that is not there. */

const prefixes = ["", "k", "M", "G", "T", "P"] as const;

/** Three or four significant digits with an SI prefix: 134249000 → `134 M`, 0.0183 → `0.0183`. */
export function si(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1000) return significant(value, 3);
  const step = Math.min(prefixes.length - 1, Math.floor(Math.log10(size) / 3));
  const scaled = significant(value / 1000 ** step, 3);
  // Rounding can reach the next prefix: 999.9 k is 1 M.
  if (Math.abs(Number(scaled)) >= 1000 && step < prefixes.length - 1)
    return `${significant(value / 1000 ** (step + 1), 3)} ${prefixes[step + 1]}`;
  return `${scaled} ${prefixes[step]}`;
}

/** A number with so many significant digits and no needless zeros. */
export const significant = (value: number, digits: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "–";

/** A number with a fixed count of decimals. */
export const fixed = (value: number | null | undefined, decimals: number): string =>
  value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(decimals);

/** A share as a signed percentage: 0.123 → `+12.3 %`. */
export const signedPercent = (share: number): string =>
  Number.isFinite(share) ? `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(1)} %` : "–";

/** A share as a percentage: 0.9037 → `90.4 %`. */
export const percentOf = (share: number): string =>
  Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–";

/** A duration: `0.8 s`, `12 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A count with thin separators: 15927 → `15,927`. */
export const count = (value: number): string => value.toLocaleString("en-US");

/** `2018-03-05 15:18` from `2018-03-05 15:18:00`, `…T15:18:00.000Z` and their kin: seconds only where they are not nought. */
export function shortTime(timestamp: string): string {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d))?/.exec(timestamp);
  if (found === null) return timestamp;
  const [, date, time, seconds] = found;
  return seconds === undefined || seconds === "00" ? `${date} ${time}` : `${date} ${time}:${seconds}`;
}
