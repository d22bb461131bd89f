import { describe, expect, it } from "vitest";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { Trusted } from "./trusted.ts";

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

describe("Trusted", () => {
  it("meets networks that contain, or are within, a trusted one, until its end", () => {
    const trusted = new Trusted(100);
    trusted.trust(prefix("192.0.2.5"), 100);
    trusted.trust(prefix("198.51.100.0/24"), 100);
    trusted.trust(prefix("2001:db8:0:1::/64"), 100);
    const met = (text: string, now = 50): boolean => trusted.meets(prefix(text), now);
    for (const text of [
      "192.0.2.5",
      "192.0.2.0/24",
      "0.0.0.0/0",
      "198.51.100.128/25",
      "198.51.100.0/24",
      "198.51.0.0/16",
      "2001:db8::/48",
      "2001:db8:0:1:2::/80",
      "::/0",
    ])
      expect([text, met(text), met(text, 100)]).toEqual([text, true, false]);
    for (const text of ["192.0.2.4", "192.0.2.8/29", "198.51.101.0/24", "2001:db8:0:2::/64"])
      expect([text, met(text)]).toEqual([text, false]);
  });

  it("knows the wide networks that are trusted now, also after one is evicted or swept", () => {
    const trusted = new Trusted(2);
    const wide = (now: number): readonly string[] => trusted.wide(now).map(formatPrefix);
    trusted.trust(prefix("0.0.0.0/0"), 100);
    trusted.trust(prefix("192.0.2.0/24"), 100);
    trusted.trust(prefix("0.0.0.0/0"), 200);
    expect([wide(150), wide(200)]).toEqual([["0.0.0.0/0"], []]);
    trusted.trust(prefix("::/0"), 300);
    trusted.trust(prefix("8000::/1"), 300);
    expect(wide(150)).toEqual(["::/0", "8000::/1"]);
    trusted.sweep(300, 10);
    expect(wide(150)).toEqual([]);
  });
});
