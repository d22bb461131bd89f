import { describe, expect, it } from "vitest";
import { processFiles, sentences } from "../../../test/support/doctor-machine.ts";
import { fail2banRules } from "./fail2ban-rules.ts";

const CHAINS = ":INPUT ACCEPT [0:0]\n:f2b-sshd - [0:0]\n-A INPUT -p tcp -j f2b-sshd\n";

describe("fail2ban-rules", () => {
  it.each<[string, { iptables?: string | null; nftTables?: string | null }, readonly string[]]>([
    ["nothing that can be read", {}, []],
    [
      "other rules",
      { iptables: ":INPUT ACCEPT [0:0]\n", nftTables: "table inet stoplog\n" },
      ["fine: fail2ban has no rules in the firewall"],
    ],
    [
      "chains and a table",
      { iptables: CHAINS, nftTables: "table inet f2b-table\n" },
      ["advice: fail2ban does not run, but its rules are in the firewall (f2b-sshd, f2b-table)"],
    ],
  ])("with %s", (_, facts, expected) => {
    expect(sentences(fail2banRules, { facts })).toEqual(expected);
  });

  it("leaves a running fail2ban to the check of other programs", () => {
    const files = processFiles(77, "/usr/bin/python3", "/usr/bin/fail2ban-server", "-xf", "start");
    expect(sentences(fail2banRules, { files, facts: { iptables: CHAINS } })).toEqual([]);
  });
});
