import { postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";
import { markdown } from "./text.ts";

/** Incoming webhooks. `<!channel>` and links need a raw `<`, and the text has none. */
export const slack: TemplateKind = {
  name: "slack",
  render(message, { url }) {
    const text = markdown(message, 8000).replace(/[&<>]/g, (one) => ENTITIES[one] ?? "");
    return postJson(url, { text, mrkdwn: true, unfurl_links: false, unfurl_media: false });
  },
};

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
