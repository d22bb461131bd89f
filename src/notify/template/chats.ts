import type { Message } from "../message.ts";
import { clip } from "../../core/printable.ts";
import { asCode, clipBytes, harmless } from "../plain-text.ts";
import { linesOf, titleOf } from "../wording.ts";
import { type Addressee, bearer, postJson, type Rendered } from "./rendered.ts";

// The bodies that chat services take, each as its own documentation has it. Whatever was not written by us stands in code marks where the
// service knows Markdown, and the service is told to obey no mention wherever it can be told.

type Chat = (message: Message, to: Addressee) => Rendered;

/** Incoming webhooks. `<!channel>` and links need a raw `<`, and there is none. */
export const slack: Chat = (message, { url }) => {
  const escaped = markdown(message, 8000).replace(/[&<>]/g, (one) => SLACK_ENTITIES[one] ?? "");
  return postJson(url, { text: escaped, mrkdwn: true, unfurl_links: false, unfurl_media: false });
};

/** Execute Webhook. `flags` 4 is SUPPRESS_EMBEDS. */
export const discord: Chat = (message, { url }) =>
  postJson(url, { content: markdown(message, 1900), allowed_mentions: { parse: [] }, flags: 4 });

export const mattermost: Chat = (message, { url }) => postJson(url, { text: markdown(message, 3900) });

/** A workflow's webhook takes an adaptive card; text runs know no Markdown. The whole may have 28 KB. */
export const teams: Chat = (message, { url }) => {
  const run = (text: string, weight: string): object => ({
    type: "RichTextBlock",
    inlines: [{ type: "TextRun", text, weight }],
  });
  const lines = clipBytes(linesOf(message, harmless).join("\n"), 15_000).split("\n");
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [run(titleOf(message), "bolder"), ...lines.map((line) => run(line, "default"))],
  };
  const contentType = "application/vnd.microsoft.card.adaptive";
  return postJson(url, { type: "message", attachments: [{ contentType, contentUrl: null, content }] });
};

/** The Bot API's sendMessage without a parse mode; the bot's token is a part of the path. */
export function telegram(message: Message, { url, key }: Addressee, chatId: string): Rendered {
  const method = new URL(`${url.pathname.replace(/\/$/, "")}/bot${key ?? ""}/sendMessage`, url);
  return postJson(method, {
    chat_id: chatId,
    text: clip(plain(message), 4000),
    link_preview_options: { is_disabled: true },
  });
}

/** Publishing as JSON goes to the server's root; the topic is the last part of the URL. */
export const ntfy: Chat = (message, { url, key }) => {
  const at = url.pathname.replace(/\/$/, "").lastIndexOf("/");
  const topic = decodeURIComponent(url.pathname.slice(at + 1).replace(/\/$/, ""));
  const text = clipBytes(linesOf(message, harmless).join("\n"), 3800);
  const root = new URL(url.pathname.slice(0, at + 1), url);
  return postJson(root, { topic, title: titleOf(message), message: text }, bearer(key));
};

export const gotify: Chat = (message, { url, key }) => {
  const path = url.pathname.replace(/\/$/, "");
  const place = new URL(path.endsWith("/message") ? path : `${path}/message`, url);
  const text = clip(linesOf(message, harmless).join("\n"), 10_000);
  return postJson(
    place,
    { title: titleOf(message), message: text, priority: 5 },
    key === null ? {} : { "x-gotify-key": key },
  );
};

/** The client API's send (v3); an empty `m.mentions` mentions nobody (MSC3952). The message's id makes a second try the same message. */
export function matrix(message: Message, { url, key }: Addressee, room: string): Rendered {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${message.id}`;
  const event = { msgtype: "m.notice", body: clipBytes(plain(message), 20_000), "m.mentions": {} };
  const place = new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url);
  return { ...postJson(place, event, bearer(key)), method: "PUT" };
}

const SLACK_ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Lines too many for the service are left out whole, so that no code mark is left open. */
function markdown(message: Message, most: number): string {
  const title = harmless(titleOf(message)).replace(/[`*_~|\\<>[\]]/g, " ");
  const lines = linesOf(message, (text) => asCode(clip(text, 300)));
  let text = title;
  for (const [n, line] of lines.entries()) {
    if (text.length + line.length + 1 > most) return `${text}\n… (${lines.length - n} lines more)`;
    text += `\n${line}`;
  }
  return text;
}

function plain(message: Message): string {
  return [harmless(titleOf(message)), ...linesOf(message, harmless)].join("\n");
}
