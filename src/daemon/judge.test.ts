import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import type { LineMatch } from "../core/line-match.ts";
import type { Instant } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { runningJail } from "./builders.test-support.ts";
import { Judge } from "./judge.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

describe("Judge", () => {
  it("unbans a single address after a good line when its network could not be banned", () => {
    const book = new Book({ capacity: 10, changes: 10 });
    const judge = new Judge({ book, evidence: new Evidence({ lines: 10, bans: 10 }) });
    const options = { ipv4Prefix: 24, maxretry: 1, onGood: "unban" } as const;
    const jail = runningJail({ ...options, ignoreip: [prefix("192.0.2.1")] });
    const { address } = prefix("192.0.2.9");
    const seen = (kind: LineMatch["kind"]) => ({ kind, address, at: NOW, count: 1, line: "x" }) as LineMatch;
    judge.judge([jail], seen("failure"), address, { now: NOW });
    expect([...book.bans()].map((ban) => ban.prefix)).toEqual([prefix("192.0.2.9")]);
    judge.judge([jail], seen("good"), address, { now: NOW });
    expect(book.size).toBe(0);
  });
});
