import { describe, expect, it } from "vitest";
import { formatAddress } from "../../core/address.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { fakeAnswer, fakeNetlink } from "../../../test/support/fake-netlink.ts";
import { type Message, messagesIn } from "../../kernel/netlink/message.ts";
import { elementsIn } from "../../kernel/nftables/read-elements.ts";
import { Session } from "../../kernel/nftables/session.ts";
import { banSet } from "../ruleset/names.ts";
import type { ElementChange } from "../ruleset/standing-sets.ts";
import { commitElements } from "./commit.ts";

const SET = banSet("default", "v4", null);
const FIRST_ELEMENT = 16 + 4 + 12 + 16 + 4; // headers, table, set, header of the list
const ELEMENT = 28;

describe("commitElements", () => {
  it("refuses only the bad elements of a batch, by name, and adds the rest", async () => {
    for (const bad of [[], [0], [999], [500], [0, 1, 2, 998, 999], [7, 300, 301, 700]]) {
      const kernel = fakeKernel(bad.map(address));
      const { refusals, gone } = await commitElements(new Session(kernel.socket), changes(1000), OPTIONS);
      expect(refusals.map(({ prefix }) => formatPrefix(prefix))).toEqual(bad.map(address));
      expect(gone).toBe(false);
      expect(kernel.held.size).toBe(1000 - bad.length);
      for (const one of bad) expect(kernel.held.has(address(one))).toBe(false);
    }
  });

  it("gives the fact of a refusal in a sentence", async () => {
    const kernel = fakeKernel([address(3)]);
    const { refusals } = await commitElements(new Session(kernel.socket), changes(5), OPTIONS);
    expect(refusals.map(({ fact }) => fact)).toEqual(["Cannot ban 10.0.0.3 at default: invalid argument"]);
  });

  it("needs no more than about one transaction for each element when most are refused", async () => {
    const kernel = fakeKernel(
      Array.from({ length: 1000 }, (_, i) => address(i)).filter((_, i) => i % 2 === 1),
    );
    const { refusals } = await commitElements(new Session(kernel.socket), changes(1000), OPTIONS);
    expect(refusals).toHaveLength(500);
    expect(kernel.held.size).toBe(500);
    expect(kernel.transactions()).toBeLessThan(1100);
  });

  it("halves a batch whose refusal does not name the element", async () => {
    const kernel = fakeKernel([address(37)], { places: false });
    const { refusals } = await commitElements(new Session(kernel.socket), changes(100), OPTIONS);
    expect(refusals.map(({ prefix }) => formatPrefix(prefix))).toEqual([address(37)]);
    expect(kernel.held.size).toBe(99);
    expect(kernel.transactions()).toBeLessThan(20);
  });

  it("refuses all changes at once when the set is gone", async () => {
    const kernel = fakeKernel([], { gone: true });
    const { refusals, gone } = await commitElements(new Session(kernel.socket), changes(1000), OPTIONS);
    expect(gone).toBe(true);
    expect(refusals).toHaveLength(1000);
    expect(kernel.transactions()).toBe(1);
  });
});

const OPTIONS = { table: "stoplog", dialect: "update", now: 0, clock: () => 0, size: 10_000 } as const;

/** Applies batches as the kernel does: all or nothing, and names the first bad element of each message. */
function fakeKernel(bad: readonly string[], { places = true, gone = false } = {}) {
  const held = new Set<string>();
  let transactions = 0;
  const socket = fakeNetlink((batch) => {
    transactions++;
    const inside = batch.slice(1, -1);
    if (gone) return inside.map((message) => fakeAnswer(message, 2, { offset: 20 }));
    const answers = inside.flatMap((message) => {
      const index = keysIn(message).findIndex((key) => bad.includes(key));
      if (index < 0) return [];
      return [fakeAnswer(message, 22, places ? { offset: FIRST_ELEMENT + index * ELEMENT } : {})];
    });
    if (answers.length > 0) return answers;
    for (const key of inside.flatMap(keysIn)) held.add(key);
    return [fakeAnswer(inside.at(-1)!, 0)];
  });
  return { socket, held, transactions: () => transactions };
}

function keysIn(message: Message): readonly string[] {
  // Parsed again as a message of its own, as the kernel parses it.
  const [copy] = [...messagesIn(message.bytes.subarray(message.start - 16, message.end))];
  return [...elementsIn(copy!, 0)].map((element) => formatAddress(element.address));
}

function changes(count: number): readonly ElementChange[] {
  return Array.from({ length: count }, (_, i) => ({
    set: SET,
    change: { kind: "ban", prefix: prefix(address(i)), target: "default", until: 1000 },
  }));
}

function address(i: number): string {
  return `10.0.${i >> 8}.${i & 255}`;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}
