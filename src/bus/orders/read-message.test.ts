import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Order } from "../../core/order.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { MessageReader } from "./read-message.ts";

const reader = new MessageReader(["swabber_bans", "stoplog_orders"], (text) => `no JSON: ${text}`);
const read = (...frames: (string | Buffer)[]): (Order | string)[] => [
  ...reader.read(frames.map((frame) => Buffer.from(frame as string))),
];
const told = (...frames: (string | Buffer)[]): string[] =>
  read(...frames).map((one) => (typeof one === "string" ? one : formatPrefix(one.prefix)));

describe("a message over ØMQ", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    [" 203.0.113.7\r\n", "203.0.113.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["192.0.2.9/24", "192.0.2.0/24"],
    ["999.1.1.1", '"999.1.1.1" is not an IP address or network'],
    ["", '"" is not an IP address or network'],
    ["203.0.113.7\0", '"203.0.113.7\\x00" is not an IP address or network'],
    ["203.0.113.7 203.0.113.8", '"203.0.113.7 203.0.113.8" is not an IP address or network'],
    [`${" ".repeat(128)}1.2.3.4`, `"${" ".repeat(39)}…" is not an IP address or network`],
  ])("of Swabber with %j is %s", (frame, expected) => {
    expect(told("swabber_bans", frame)).toEqual([expected]);
  });

  it("needs two frames, the first of which is exactly a topic", () => {
    expect(told("swabber_bans")).toEqual(["a message of 1 frame instead of two"]);
    expect(told("swabber_bans", "192.0.2.1", "192.0.2.2")).toEqual(["a message of 3 frames instead of two"]);
    expect(told("swabber_bans_of_others", "192.0.2.1")).toEqual([
      '"swabber_bans_of_others" is not a topic of this source',
    ]);
    expect(told("\x1b[31m\xff", "192.0.2.1")).toEqual(['"\\x1b[31mÿ" is not a topic of this source']);
  });

  it("of Stoplog's topic holds orders in JSON, one a line", () => {
    expect(told("stoplog_orders", '{"a":1}\n\n {"b":2} \r\nx')).toEqual([
      'no JSON: {"a":1}',
      'no JSON: {"b":2}',
      "no JSON: x",
    ]);
    expect(told("stoplog_orders", "")).toEqual(["it is empty"]);
  });

  it("may contain any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), (frames) => {
        for (const one of reader.read(frames.map((frame) => Buffer.from(frame))))
          expect(typeof one === "string" ? one.length < 100 : one.kind === "ban").toBe(true);
      }),
    );
  });
});
