import { postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";
import { markdown } from "./text.ts";

/** Incoming webhooks. */
export const mattermost: TemplateKind = {
  name: "mattermost",
  render: (message, { url }) => postJson(url, { text: markdown(message, 3900) }),
};
