import { UNBANNED_BY } from "../core/ban.ts";
import { formatDuration } from "../core/duration.ts";
import { FOREVER, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import { type Counts, countsOf, lengthOf, type Message, type NotifyEvent, sizeOf } from "./message.ts";
import { printable } from "../core/printable.ts";

/** How a text from elsewhere is written, so that whatever shows it only shows it. */
export type Mark = (text: string) => string;

/** `Stoplog on HOST: 3 banned, 1 freed`; for a single change the change itself. */
export function titleOf(message: Message): string {
  const on = `Stoplog on ${printable(message.host)}`;
  if (message.test) return `${on}: a test message`;
  const [only] = message.events;
  if (only !== undefined && sizeOf(message) === 1) return `${on}: ${WORDS[only.kind]} ${only.address}`;
  return `${on}: ${summaryOf(message)}`;
}

/** `3 banned, 1 freed`, or how many changes there were when nobody looked at them. */
export function summaryOf(message: Message): string {
  const parts = countWordsOf(countsOf(message));
  if (message.missed > 0) parts.push(counted(message.missed, "change"));
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** A sentence for each change that is told by itself, and one for the rest. */
export function linesOf(message: Message, mark: Mark): readonly string[] {
  if (message.test) return ["This is a test: nobody was banned."];
  const more = countWordsOf(message.more);
  return [
    ...message.events.map((event) => sentenceOf(event, mark)),
    ...(more.length === 0 ? [] : [`And ${more.join(", ")} that are not listed.`]),
    ...(message.missed === 0
      ? []
      : [`And ${counted(message.missed, "change")} that came too fast to be looked at.`]),
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

const WORDS = { ban: "Banned", prolong: "Prolonged", lift: "Freed" } as const;

function timeOf(event: NotifyEvent): string {
  const length = lengthOf(event);
  return length === FOREVER ? "for ever" : `for ${formatDuration(Math.round(length / SECOND) * SECOND)}`;
}

function countWordsOf({ ban, prolong, lift }: Counts): string[] {
  return [
    ...(ban > 0 ? [`${counted(ban, "address", "addresses")} banned`] : []),
    ...(prolong > 0 ? [`${counted(prolong, "ban")} prolonged`] : []),
    ...(lift > 0 ? [`${counted(lift, "address", "addresses")} freed`] : []),
  ];
}
