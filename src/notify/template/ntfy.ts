import { clipBytes, harmless } from "../plain-text.ts";
import { linesOf, titleOf } from "../wording.ts";
import { bearer, postJson } from "./rendered.ts";
import type { TemplateKind } from "./template.ts";

/** JSON is published at the server's root; the topic is the last part of the URL. */
export const ntfy: TemplateKind = {
  name: "ntfy",
  render(message, { url, key }) {
    const at = url.pathname.replace(/\/$/, "").lastIndexOf("/");
    const topic = decodeURIComponent(url.pathname.slice(at + 1).replace(/\/$/, ""));
    const text = clipBytes(linesOf(message, harmless).join("\n"), 3800);
    const root = new URL(url.pathname.slice(0, at + 1), url);
    return postJson(root, { topic, title: titleOf(message), message: text }, bearer(key));
  },
};
