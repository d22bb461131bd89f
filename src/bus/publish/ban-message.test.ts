import { describe, expect, it } from "vitest";
import type { BanChange } from "../../core/ban.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { FOREVER, HOUR } from "../../core/time.ts";
import { changeMessage, swabberMessage } from "./ban-message.ts";

const NOW = Date.UTC(2026, 10, 20);

function change(address: string, kind: "ban" | "prolong" | "lift" = "ban", until = NOW + HOUR): BanChange {
  const prefix = parsePrefix(address);
  if (prefix === null) throw new Error(address);
  const rest = { target: "default", jail: "sshd", reason: 'said "x"', since: NOW, until, origin: "local" };
  const ban = { prefix, ...rest };
  return kind === "lift" ? { seq: 3, kind, ban, by: "expiry" } : { seq: 3, kind, ban };
}

describe("a published change", () => {
  it("is an address in Swabber's format, if that can express it", () => {
    expect(swabberMessage(change("203.0.113.7"))).toEqual(["swabber_bans", "203.0.113.7"]);
    expect(swabberMessage(change("203.0.113.7", "prolong"))).toEqual(["swabber_bans", "203.0.113.7"]);
    for (const none of [change("203.0.113.0/24"), change("2001:db8::1"), change("203.0.113.7", "lift")])
      expect(swabberMessage(none)).toBeNull();
  });

  it("is the whole ban in JSON", () => {
    expect(JSON.parse(changeMessage(change("2001:db8::/64"), { seq: 3, epoch: 17 }))).toEqual({
      seq: 3,
      epoch: 17,
      kind: "ban",
      address: "2001:db8::/64",
      jail: "sshd",
      target: "default",
      reason: 'said "x"',
      since: "2026-11-20T00:00:00.000Z",
      until: "2026-11-20T01:00:00.000Z",
      origin: "local",
    });
    expect(
      JSON.parse(changeMessage(change("192.0.2.1", "lift", FOREVER), { seq: 4, epoch: 17 })),
    ).toMatchObject({
      kind: "lift",
      by: "expiry",
      until: null,
    });
  });
});
