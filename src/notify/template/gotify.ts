import { clip } from "../../core/printable.ts";
import { harmless } from "../plain-text.ts";
import { linesOf, titleOf } from "../wording.ts";
import { postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";

/** `POST /message`, with the application's token in a header. */
export const gotify: TemplateKind = {
  name: "gotify",
  needsKey: true,
  render(message, { url, key }) {
    const path = url.pathname.replace(/\/$/, "");
    const place = new URL(path.endsWith("/message") ? path : `${path}/message`, url);
    const text = clip(linesOf(message, harmless).join("\n"), 10_000);
    return postJson(
      place,
      { title: titleOf(message), message: text, priority: 5 },
      key === null ? {} : { "x-gotify-key": key },
    );
  },
};
