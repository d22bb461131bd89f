import { clipBytes } from "../plain-text.ts";
import { bearer, postJson } from "./rendered.ts";
import type { Template, TemplateKind } from "./template.ts";
import { plain } from "./text.ts";

interface MatrixTemplate extends Template {
  readonly room: string;
}

/**
 * The client API's send (v3). An empty `m.mentions` mentions no user (MSC3952). The message's id is the transaction's: a second try is the
 * same message.
 */
export const matrix: TemplateKind<MatrixTemplate> = {
  name: "matrix",
  needsKey: true,
  keys: {
    room: (v) =>
      v
        .text("a room")
        .optional()
        .meta({ description: "With matrix: the room's id.", examples: ["!abc:example.org"] }),
  },
  read: ({ room }) => ({ kind: "matrix", room: typeof room === "string" ? room : "" }),
  render(message, { url, key }, { room }) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${message.id}`;
    const event = { msgtype: "m.notice", body: clipBytes(plain(message), 20_000), "m.mentions": {} };
    const place = new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url);
    return { ...postJson(place, event, bearer(key)), method: "PUT" };
  },
};
