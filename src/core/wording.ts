import { DAY, type Duration, FOREVER, HOUR, MINUTE, SECOND } from "./time.ts";

/** A length of time in its two largest units: '3m 12s', '1d 4h', 'permanent'. */
export function durationWords(duration: Duration): string {
  if (duration === FOREVER) return "permanent";
  const seconds = Math.max(0, Math.floor(duration / SECOND)) * SECOND;
  const first = UNITS.findIndex(([, unit]) => seconds >= unit);
  const [name, unit] = UNITS[first] ?? ["s", SECOND];
  const [nextName, nextUnit] = UNITS[first + 1] ?? ["", 0];
  const next = nextUnit === 0 ? 0 : Math.floor((seconds % unit) / nextUnit);
  return `${Math.floor(seconds / unit)}${name}${next > 0 ? ` ${next}${nextName}` : ""}`;
}

/** '1,234,567': grouped the same in every locale: people compare outputs and quote them in tickets. */
export function countWords(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** '1 line', '2 lines'. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countWords(count)} ${Math.round(count) === 1 ? one : many}`;
}

/** A sentence as part of another one. */
export function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** A rate, with a digit after the point below 10: '0.3', '42', '120,000'. */
export function rateWords(rate: number): string {
  return rate > 0 && rate < 10 ? rate.toFixed(1) : countWords(rate);
}

/** '512 B', '4.0 KiB', '1.2 GiB'. */
export function bytesWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

const UNITS: readonly (readonly [string, Duration])[] = [
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", SECOND],
];

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
