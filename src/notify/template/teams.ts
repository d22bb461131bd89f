import { clipBytes, harmless } from "../plain-text.ts";
import { linesOf, titleOf } from "../wording.ts";
import { postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";

/** A workflow's webhook takes an adaptive card of at most 28 KB. Text runs are not parsed as Markdown. */
export const teams: TemplateKind = {
  name: "teams",
  alias: "msteams",
  render(message, { url }) {
    const lines = clipBytes(linesOf(message, harmless).join("\n"), 15_000).split("\n");
    const content = {
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.4",
      body: [block(titleOf(message), "bolder"), ...lines.map((line) => block(line, "default"))],
    };
    const contentType = "application/vnd.microsoft.card.adaptive";
    return postJson(url, { type: "message", attachments: [{ contentType, contentUrl: null, content }] });
  },
};

function block(text: string, weight: string): object {
  return { type: "RichTextBlock", inlines: [{ type: "TextRun", text, weight }] };
}
