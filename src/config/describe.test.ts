import { describe, expect, it } from "vitest";
import { describeConfig } from "./describe.ts";
import { good } from "../../test/support/read-config-text.ts";

describe("describeConfig()", () => {
  it("has a line for each jail and each used target", () => {
    const text = `
sources: { auth: { type: file, path: /var/log/auth.log }, syslog: { type: syslog, listen: "udp:127.0.0.1:514" } }
targets:
  slow: { verdict: throttle, rate: 10/minute, ports: [22, 80-90], protocols: [tcp] }
  spare: { verdict: reject }
jails:
  sshd: { sources: [auth, syslog] }
  web: { sources: auth, filter: nginx, maxretry: 1, bantime: -1, target: slow }
`;
    expect(describeConfig(good(text))).toEqual([
      "jail sshd: sources auth, syslog; 5 failures in 10m → 1h at default",
      "jail web: source auth; filter nginx; 1 failure → permanent at slow",
      "target default: nftables, drop",
      "target slow: nftables, throttle 10 packets per 1m, ports 22, 80-90 (tcp)",
    ]);
  });
});
