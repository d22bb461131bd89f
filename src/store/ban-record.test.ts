import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { address, V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { hostPrefix, parsePrefix, prefixOf } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";
import { readRecord, RecordWriter, type SeeRecord } from "./ban-record.ts";

const COMMON = { target: "default", jail: "sshd", reason: "5 failures", origin: "local" } as const;

const END = { by: "operator", at: 5 } as const;

interface Change {
  readonly kind: "ban" | "unban";
  readonly ban: Ban;
}

function written(changes: readonly Change[]): string {
  const writer = new RecordWriter();
  for (const { kind, ban } of changes) {
    if (kind === "ban") writer.ban(ban);
    else writer.unban(ban, END);
  }
  return Buffer.from(writer.take()).toString();
}

function read(text: string): Change[] {
  const changes: Change[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const see: SeeRecord = (kind, ban, end) => {
      changes.push({ kind, ban });
      if (kind === "unban" && line.includes('"by"')) expect(end).toEqual(END);
      else expect(end).toBeNull();
    };
    expect(readRecord(line, see)).toBe(true);
  }
  return changes;
}

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const prefix = fc.oneof(
  word.map((w3) => hostPrefix(address(0, 0, V4_MARK, w3))),
  fc.tuple(word, fc.nat(32)).map(([w3, length]) => prefixOf(address(0, 0, V4_MARK, w3), length)),
  fc
    .tuple(word, word, word, word, fc.nat(128))
    .map(([w0, w1, w2, w3, length]) => prefixOf(address(w0, w1, w2, w3), length)),
);
const few = (...texts: string[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...texts) }, fc.string());
const change = fc.record({
  kind: fc.constantFrom("ban" as const, "ban" as const, "unban" as const),
  ban: fc.record({
    prefix,
    target: few("default", "web"),
    jail: few("sshd", ""),
    reason: few("5 failures", 'ä\n"}'),
    since: fc.constantFrom(1, 2),
    until: fc.constantFrom(3, FOREVER),
    origin: few("local"),
  }),
});

describe("RecordWriter", () => {
  it("writes records that are read back: every field of a ban, the address and target of an unban, and how it came", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const back = read(written(changes));
        expect(back.map(({ kind, ban }) => [kind, ban.prefix, ban.target])).toEqual(
          changes.map(({ kind, ban }) => [kind, ban.prefix, ban.target]),
        );
        const bans = (all: readonly Change[]) => all.filter(({ kind }) => kind === "ban");
        expect(bans(back)).toEqual(bans(changes));
      }),
    );
  });

  it("writes up to 500 consecutive bans that differ only in their address into one line", () => {
    const flood = Array.from({ length: 1100 }, (_, n): Change => {
      const ban = { ...COMMON, prefix: hostPrefix(address(0, 0, V4_MARK, n * 65_521)), since: 1, until: 2 };
      return { kind: n < 1050 ? "ban" : "unban", ban };
    });
    const text = written(flood);
    expect(text.split("\n").map((line) => line.split("],")[0]?.split(",").length)).toEqual([
      500, 500, 50, 50, 1,
    ]);
    expect(read(text).map(({ ban }) => ban.prefix)).toEqual(flood.map(({ ban }) => ban.prefix));
  });

  it("starts empty after each take", () => {
    const writer = new RecordWriter();
    const ban: Ban = { ...COMMON, prefix: hostPrefix(address(0, 0, V4_MARK, 1)), since: 1, until: 2 };
    writer.ban(ban);
    const first = Buffer.from(writer.take()).toString();
    writer.ban(ban);
    expect(Buffer.from(writer.take()).toString()).toBe(first);
    expect(writer.take()).toHaveLength(0);
  });
});

describe("readRecord()", () => {
  it("reads the lines of earlier versions, one for each ban", () => {
    const lines = [
      '{"ban":"192.0.2.1","target":"default","jail":"sshd","reason":"5 failures","since":1,"until":null,"origin":"local"}',
      '{"lift":"192.0.2.0/24","target":"default"}',
    ];
    const [ban, unban] = read(`${lines.join("\n")}\n`);
    expect(ban).toEqual({
      kind: "ban",
      ban: { ...COMMON, prefix: parsePrefix("192.0.2.1"), since: 1, until: FOREVER },
    });
    expect(unban).toMatchObject({
      kind: "unban",
      ban: { prefix: parsePrefix("192.0.2.0/24"), target: "default" },
    });
  });

  it("takes the readable addresses of a changed line, and reports it as damaged", () => {
    const seen: Ban[] = [];
    const line = '{"bans":["192.0.2.1","nothing",7,"192.0.2.2"],"target":"default"}';
    expect(readRecord(line, (_, ban) => seen.push(ban))).toBe(false);
    expect(seen.map(({ prefix }) => prefix)).toEqual([parsePrefix("192.0.2.1"), parsePrefix("192.0.2.2")]);
  });
});
