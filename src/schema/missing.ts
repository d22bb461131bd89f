import { closestName } from "../core/closest-name.ts";
import { shorten } from "./shorten.ts";

/** `source mail does not exist (did you mean mail2?); there are auth, mail2`. */
export function missing(kind: string, name: string, names: readonly string[]): string {
  return `${kind} ${shorten(name)} does not exist${didYouMean(name, names)}${listed("there are", names)}`;
}

/** ` (did you mean maxretry?)`, or nothing. */
export function didYouMean(written: string, names: readonly string[]): string {
  const near = written.length > LONGEST_NAME ? null : closestName(written, names);
  return near === null || near === written ? "" : ` (did you mean ${near}?)`;
}

/** `; there are auth, mail2`. */
export function listed(words: string, names: readonly string[]): string {
  if (names.length === 0) return "; none exist";
  const most = 30;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  const said = names.length === 1 && words === "there are" ? "there is" : words;
  return `; ${said} ${names.slice(0, most).toSorted().join(", ")}${more}`;
}

/** Comparing names costs the product of their lengths. */
const LONGEST_NAME = 64;
