import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { existingBans } from "../../src/import/swabber/existing-bans.ts";
import { readRecentRules, savedRules } from "../../src/import/banban/recent-rules.ts";
import { hasProgram, Namespace, namespaceFault, titled } from "../support/namespace.ts";

const fault = namespaceFault() ?? (hasProgram("iptables-save") ? null : "needs the programs of iptables");

describe.skipIf(fault !== null)(titled("what an import finds in the firewall", fault), () => {
  let namespace: Namespace;
  beforeAll(() => {
    namespace = Namespace.create("import");
  });
  afterAll(() => namespace?.remove());

  it("is how long the lists of xt_recent keep somebody out", async () => {
    const recent = (...rest: string[]) => ["-A", "FORWARD", "-m", "recent", "--name", ...rest, "-j", "DROP"];
    namespace.run("iptables", ...recent("SLOW", "--rcheck", "--hitcount", "1", "--seconds", "180"));
    namespace.run("ip6tables", ...recent("SLOW", "--update", "--seconds", "300"));
    namespace.run("iptables", ...recent("SHUT", "--rcheck"));
    namespace.run("iptables", "-A", "FORWARD", "-m", "recent", "--name", "SEEN", "--set");
    const rules = await namespace.inside(savedRules);
    expect(Object.fromEntries(readRecentRules(rules ?? ""))).toEqual({
      SLOW: { seconds: 300_000, hitcount: 1, updates: true },
      SHUT: { seconds: Infinity, hitcount: 0, updates: false },
    });
  });

  it("is what Swabber has banned, which the commands take over and remove", () => {
    const banned = ["192.0.2.1", "192.0.2.2"];
    for (const address of banned) {
      const comment = ["-m", "comment", "--comment", `swabber:${1_700_000_000}`];
      namespace.run("iptables", "-I", "INPUT", "-s", address, "-i", "eth+", ...comment, "-j", "DROP");
    }
    namespace.run("iptables", "-A", "INPUT", "-s", "192.0.2.3", "-j", "DROP");
    const [take = "", remove = ""] = existingBans("iptables", "5h").map((sentence) =>
      sentence.slice(sentence.indexOf("iptables -S")),
    );
    const stoplog = join(tmpdir(), `stoplog-import-${process.pid}`);
    writeFileSync(stoplog, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    onTestFinished(() => rmSync(stoplog));
    const asked = namespace.run("sh", "-c", take.replace("stoplog", stoplog));
    expect(asked).toBe("ban --target swabber --for 5h 192.0.2.2 192.0.2.1\n");
    namespace.run("sh", "-c", remove);
    expect(namespace.run("iptables", "-S", "INPUT")).toBe(
      "-P INPUT ACCEPT\n-A INPUT -s 192.0.2.3/32 -j DROP\n",
    );
  });
});
