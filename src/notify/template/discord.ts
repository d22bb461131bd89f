import { postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";
import { markdown } from "./text.ts";

/** Execute Webhook. `flags` 4 is SUPPRESS_EMBEDS. */
export const discord: TemplateKind = {
  name: "discord",
  render: (message, { url }) =>
    postJson(url, { content: markdown(message, 1900), allowed_mentions: { parse: [] }, flags: 4 }),
};
