import { countsOf, type Message } from "../message.ts";
import { summaryOf } from "../wording.ts";

/**
 * Our own document, for programs:
 *
 *      { version: 1, id, host, test, summary, count: { ban, prolong, lift }, missed, events: [NotifyEvent…] }
 *
 * `count` has all changes of each kind that were wanted; `events` has the first of them. `missed` were not looked at.
 */
export function jsonDocument(message: Message): object {
  const { id, host, test, events, missed } = message;
  return {
    version: 1,
    id,
    host,
    test,
    summary: summaryOf(message),
    count: countsOf(message),
    missed,
    events,
  };
}
