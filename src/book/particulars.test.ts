import { describe, expect, it } from "vitest";
import { parsePrefix } from "../core/prefix.ts";
import { SharedParticulars } from "./particulars.ts";

const banOf = (jail: string, reason: string, target = "default") => ({
  prefix: parsePrefix("192.0.2.1")!,
  target,
  jail,
  reason,
  since: 0,
  until: 1,
  origin: "local",
});

describe("SharedParticulars", () => {
  it("gives equal particulars one number, and others another", () => {
    const shared = new SharedParticulars();
    const [a, b, c, d] = [
      banOf("sshd", "x"),
      banOf("nginx", "x"),
      banOf("sshd", "x"),
      banOf("sshd", "x", "web"),
    ].map((ban) => shared.take(ban));
    expect(c).toBe(a);
    expect(new Set([0, a, b, d]).size).toBe(4);
    expect(shared.at(d!)).toEqual({ jail: "sshd", reason: "x", target: "web", origin: "local" });
  });

  it("keeps them until the last of their bans is released, then reuses the number", () => {
    const shared = new SharedParticulars();
    const number = shared.take(banOf("sshd", "x"));
    shared.take(banOf("sshd", "x"));
    shared.release(number);
    expect(shared.at(number).reason).toBe("x");
    shared.release(number);
    shared.release(0);
    for (let i = 0; i < 1000; i++) {
      const next = shared.take(banOf("sshd", `reason ${i}`));
      expect([next, shared.at(next).reason]).toEqual([number, `reason ${i}`]);
      shared.release(next);
    }
  });
});
