import { countsOf, type Message } from "../message.ts";
import { summaryOf } from "../wording.ts";
import { bearer, postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";

/** Stoplog's own document, for programs. */
export const json: TemplateKind = {
  name: "json",
  listsAll: true,
  render: (message, { url, key }) => postJson(url, jsonDocument(message), bearer(key)),
};

/**
 * The document of `template: json` and of `type: command`:
 *
 *      { version: 1, id, host, test, summary, count: { "ban", "prolong", "lift" }, missed, events: [NotifyEvent…] }
 *
 * `count` counts all selected changes of each kind; `events` has the first of them. `missed` changes were not read.
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
