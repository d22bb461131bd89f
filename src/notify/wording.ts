import { UNBANNED_BY } from "../core/ban.ts";
import { formatDuration } from "../core/duration.ts";
import { FOREVER, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import { type Counts, countsOf, lengthOf, type Message, type NotifyEvent, sizeOf } from "./message.ts";
import { printable } from "../core/printable.ts";

/** Makes hostile text safe for the program that shows it. */
export type Mark = (text: string) => string;

/** `Stoplog on HOST: 3 addresses banned, 1 address unbanned`; for a single change, the change itself. */
export function titleOf(message: Message): string {
  const on = `Stoplog on ${printable(message.host)}`;
  if (message.test) return `${on}: a test message`;
  const [only] = message.events;
  if (only !== undefined && sizeOf(message) === 1) return `${on}: ${WORDS[only.kind]} ${only.address}`;
  return `${on}: ${summaryOf(message)}`;
}

/** `3 addresses banned, 1 address unbanned`, with the number of changes that were not read. */
export function summaryOf(message: Message): string {
  const parts = countWordsOf(countsOf(message));
  if (message.missed > 0) parts.push(counted(message.missed, "change"));
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** A sentence for each listed change, and one for the rest. */
export function linesOf(message: Message, mark: Mark): readonly string[] {
  if (message.test) return ["This is a test message: nothing was banned."];
  const more = countWordsOf(message.more);
  return [
    ...message.events.map((event) => sentenceOf(event, mark)),
    ...(more.length === 0 ? [] : [`And ${more.join(", ")} that are not listed.`]),
    ...(message.missed === 0
      ? []
      : [`And ${counted(message.missed, "change")} that came too fast to be read.`]),
  ];
}

/** `Banned 192.0.2.1 at default for 1h (sshd): 5 failures in 10m` */
export function sentenceOf(event: NotifyEvent, mark: Mark): string {
  const jail = event.jail === "" ? "" : ` (${mark(event.jail)})`;
  const what = `${WORDS[event.kind]} ${mark(event.address)} at ${mark(event.target)}`;
  const reason = mark(event.kind === "lift" ? UNBANNED_BY[event.by ?? "expiry"] : event.reason);
  const why = reason === "" ? "" : `: ${reason}`;
  return event.kind === "lift" ? `${what}${jail}${why}` : `${what} ${timeOf(event)}${jail}${why}`;
}

const WORDS = { ban: "Banned", prolong: "Prolonged", lift: "Unbanned" } as const;

function timeOf(event: NotifyEvent): string {
  const length = lengthOf(event);
  return length === FOREVER ? "permanently" : `for ${formatDuration(Math.round(length / SECOND) * SECOND)}`;
}

function countWordsOf({ ban, prolong, ...other }: Counts): string[] {
  return [
    ...(ban > 0 ? [`${counted(ban, "address", "addresses")} banned`] : []),
    ...(prolong > 0 ? [`${counted(prolong, "ban")} prolonged`] : []),
    ...(other.lift > 0 ? [`${counted(other.lift, "address", "addresses")} unbanned`] : []),
  ];
}
