import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../test/support/run-cli.ts";

let folder = "";
let path = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-rules-"));
  path = join(folder, "stoplog.yaml");
});
afterAll(() => rmSync(folder, { recursive: true }));

const OFFLOADED = `jails:
  flood: { offload: kernel, packets: { protocol: udp, ports: 53 }, maxretry: 20, findtime: 1s, ignoreself: false }
ignoreip: [192.0.2.0/24]
`;

describe("stoplog rules", () => {
  it("prints kernel-counted jails for iptables, and for nftables says that Stoplog installs them", async () => {
    writeFileSync(path, OFFLOADED);
    const nft = await run(["rules", "-c", path]);
    expect(nft).toMatchObject({ status: 0, err: "" });
    expect(nft.out).toBe("# Stoplog installs the rules of kernel-counted jails itself\n");
    const iptables = await run(["rules", "-c", path, "--iptables"]);
    expect(iptables.status).toBe(0);
    expect(iptables.out).toContain("iptables -t raw -A STOPLOG_JAIL_1 -s 192.0.2.0/24 -j RETURN\n");
    expect(iptables.out).toContain(
      "-p udp -m multiport --dports 53 -m hashlimit --hashlimit-above 19/second",
    );
  });

  it("prints both kinds of rules, and exits with 1 without any", async () => {
    writeFileSync(
      path,
      `${OFFLOADED.replace("jails:\n", "jails:\n  log: { sources: syn, packets: { protocol: udp } }\n")}sources: { syn: { type: nflog, group: 5 } }\n`,
    );
    const { out } = await run(["rules", "-c", path, "--json"]);
    const report = JSON.parse(out) as { nft: string; iptables: string[] };
    expect(report.nft).toContain('log prefix "log: " group 5');
    expect(report.iptables.some((line) => line.includes("--nflog-group 5"))).toBe(true);
    expect(report.iptables.some((line) => line.includes("-m hashlimit"))).toBe(true);
    writeFileSync(path, "jails: {}\n");
    expect(await run(["rules", "-c", path])).toMatchObject({ status: 1, out: "" });
  });
});
