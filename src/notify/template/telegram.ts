import { clip } from "../../core/printable.ts";
import { postJson } from "./rendered.ts";
import type { Template, TemplateKind } from "./template.ts";
import { plain } from "./text.ts";

interface TelegramTemplate extends Template {
  readonly chatId: string;
}

/** The Bot API's sendMessage without a parse mode; the bot's token is a part of the path. */
export const telegram: TemplateKind<TelegramTemplate> = {
  name: "telegram",
  url: "https://api.telegram.org",
  needsKey: true,
  keys: {
    chat_id: (v) =>
      v.z
        .union([v.z.int(), v.text("a chat")], { error: "must be a chat's number or @name" })
        .transform(String)
        .optional()
        .meta({ description: "With telegram: the chat.", examples: [-1001234567890] }),
  },
  read: ({ chat_id: chatId }) => ({ kind: "telegram", chatId: typeof chatId === "string" ? chatId : "" }),
  render(message, { url, key }, { chatId }) {
    const method = new URL(`${url.pathname.replace(/\/$/, "")}/bot${key ?? ""}/sendMessage`, url);
    return postJson(method, {
      chat_id: chatId,
      text: clip(plain(message), 4000),
      link_preview_options: { is_disabled: true },
    });
  },
};
