import { expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { Trusted } from "../jail/trusted.ts";
import { WideAllows } from "./wide-allows.ts";

const prefix = (text: string): Prefix => parsePrefix(text)!;

it("warns of allowed networks that spare half of a family or more, once in the log, as long as they last", () => {
  const trusted = new Trusted(10);
  const log: string[] = [];
  const allows = new WideAllows(trusted, {
    warn: (sentence) => log.push(`warning: ${sentence}`),
    info: (sentence) => log.push(sentence),
  });
  const tick = (now: number): readonly string[] => {
    allows.tick(now);
    return log.splice(0);
  };
  trusted.trust(prefix("10.0.0.0/8"), 100);
  expect([allows.warningOf(prefix("10.0.0.0/8"), 0), tick(1)]).toEqual([null, []]);
  trusted.trust(prefix("0.0.0.0/1"), 50);
  const half =
    "an order (allow 10.0.0.0/8, 0.0.0.0/1) covers half of all IPv4 addresses or more: they are never banned";
  expect(allows.warningOf(prefix("0.0.0.0/1"), 2)).toBe(half);
  expect(allows.warningOf(prefix("192.0.2.0/24"), 2)).toBeNull();
  expect([tick(2), tick(3), allows.warnings(3)]).toEqual([[`warning: ${half}`], [], [half]]);
  trusted.trust(prefix("128.0.0.0/1"), 40);
  expect(tick(4)).toEqual([
    "warning: an order (allow 10.0.0.0/8, 0.0.0.0/1, 128.0.0.0/1) covers every IPv4 address: none is ever banned",
  ]);
  expect([tick(50), allows.warnings(50)]).toEqual([
    ["The orders to allow no longer cover half of all addresses: attackers are banned again"],
    [],
  ]);
});
