import { describe, expect, it } from "vitest";
import { FOREVER } from "../../../core/time.ts";
import { banOf, jailsOf } from "./ask-client.ts";

describe("the answers of fail2ban's client", () => {
  it("to status name the jails", () => {
    expect(jailsOf("Status\n|- Number of jail:\t2\n`- Jail list:\trecidive, sshd\n")).toEqual([
      "recidive",
      "sshd",
    ]);
    expect(jailsOf("Status\n|- Number of jail:\t0\n`- Jail list:\t\n")).toEqual([]);
  });

  it("to banip --with-time have the bans in local time", () => {
    const since = new Date(2026, 10, 20, 14, 0, 5).getTime();
    const ban = banOf("198.51.100.7 \t2026-11-20 14:00:05 + 600 = 2026-11-20 14:10:05", "sshd");
    expect(ban).toMatchObject({ jail: "sshd", since, until: since + 600_000, times: 1 });
    expect(banOf("2001:db8::1 \t2026-11-20 14:00:05 + -1 = 9999-12-31 23:59:59", "sshd")?.until).toBe(
      FOREVER,
    );
    expect(banOf("", "sshd")).toBeNull();
    expect(banOf("Sorry but the jail does not exist", "sshd")).toBeNull();
  });
});
