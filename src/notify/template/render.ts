import type { Message } from "../message.ts";
import type { Template } from "../options.ts";
import { abuseReport } from "./abuseipdb.ts";
import { fillInBody } from "./body.ts";
import { discord, gotify, matrix, mattermost, ntfy, slack, teams, telegram } from "./chats.ts";
import { jsonDocument } from "./json.ts";
import { type Addressee, bearer, postJson, type Rendered } from "./rendered.ts";

/** The request that brings a message to a service. */
export function render(template: Template, message: Message, to: Addressee): Rendered {
  switch (template.kind) {
    case "json":
      return postJson(to.url, jsonDocument(message), bearer(to.key));
    case "slack":
      return slack(message, to);
    case "discord":
      return discord(message, to);
    case "mattermost":
      return mattermost(message, to);
    case "teams":
      return teams(message, to);
    case "telegram":
      return telegram(message, to, template.chatId);
    case "ntfy":
      return ntfy(message, to);
    case "gotify":
      return gotify(message, to);
    case "matrix":
      return matrix(message, to, template.room);
    case "abuseipdb":
      return abuseReport(message, to, template);
    case "body": {
      const { contentType, text } = template;
      const headers = { "content-type": contentType, ...bearer(to.key) };
      return { method: "POST", url: to.url, headers, body: fillInBody(text, contentType, message) };
    }
  }
}
