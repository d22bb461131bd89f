import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isLinear } from "../../match/run/cost-class.ts";
import { run } from "../../../test/support/run-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-check-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const GOOD = `
sources:
  auth: { type: file, path: ${"/var/log/auth.log"} }
targets:
  default: { enforcer: dry-run, verdict: drop }
jails:
  sshd: { sources: [auth], filter: sshd, maxretry: 3, findtime: 10m, bantime: 1h }
`;

describe("stoplog check", () => {
  it("describes a valid configuration", async () => {
    const path = write("good.yaml", GOOD);
    const { status, out, err } = await run(["check", "-c", path]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain("jail sshd: source auth; 3 failures in 10m");
    expect(out).toContain(`${path} is valid\n`);
  });

  it("describes a jail of good patterns", async () => {
    const jail =
      "  good: { sources: [auth], filter: { goodregex: 'welcome <HOST>' }, on_good: unban, trust_for: 1h }\n";
    const { out } = await run(["check", "-c", write("welcome.yaml", GOOD + jail)]);
    expect(out).toContain(
      "jail good: source auth; good lines reset the count, end bans and keep the address from bans for 1h\n",
    );
  });

  it("prints every error with its place, and exits with 2", async () => {
    const path = write("bad.yaml", GOOD.replace("maxretry: 3", "maxretyr: 3").replace("path:", "pth:"));
    const { status, out, err } = await run(["check", "--config", path]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    const lines = err.trimEnd().split("\n");
    expect(lines.filter((line) => /maxretyr|pth/.test(line))).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/bad\.yaml:\d+:\d+/);
  });

  it.each([
    ["^(?=.*x)(\\w+) from <HOST>", "failregex 1 has lookaround or counts above 16"],
    // The linear engine of V8 12 (Node 22) looks back, that of Node 20 does not.
    ["^\\w+(?<!ok) from <HOST>", isLinear("(?<!ok)x") ? null : "failregex 1 looks back over several bytes"],
    ["^\\w+ <HOST>$", "failregex 1 has no literal text of five bytes or more"],
  ])("says what the pattern %s costs", async (pattern, verdict) => {
    const path = write(
      "costly.yaml",
      GOOD.replace("filter: sshd", () => `filter: { failregex: '${pattern}' }`),
    );
    const { status, out } = await run(["check", "-c", path]);
    expect(status).toBe(0);
    if (verdict === null) expect(out).not.toContain("! jail sshd: failregex");
    else expect(out).toContain(`! jail sshd: ${verdict}`);
  });

  it("says which packet jails the kernel could count for, and why not the others", async () => {
    const path = write(
      "packets.yaml",
      `sources: { syn: { type: nflog, group: 5 } }
jails:
  a: { sources: syn, packets: { protocol: udp } }
  b: { sources: syn, packets: { protocol: udp }, count_with: all }
  c: { offload: kernel, packets: { protocol: udp } }
`,
    );
    const { status, out } = await run(["check", "-c", path]);
    expect(status).toBe(0);
    expect(out).toContain(
      "jail a could be counted by the kernel: write offload: kernel instead of sources\n",
    );
    expect(out).toContain("jail b cannot be counted by the kernel: count_with\n");
    expect(out).not.toContain("jail c could");
  });

  it("warns of a certificate that is missing", async () => {
    const cert = join(folder, "api.crt");
    const api = `api: { listen: "127.0.0.1:8443", cert: ${cert}, key: ${cert}, tokens: { one: { sha256: ${"0".repeat(64)} } } }\n`;
    const { status, out, err } = await run(["check", "-c", write("tls.yaml", GOOD + api)]);
    expect([status, out + err]).toEqual([
      0,
      expect.stringContaining(`Cannot read the API's certificate ${cert}: no such file or directory`),
    ]);
  });

  it("prints the same as JSON", async () => {
    const path = write("good.yaml", GOOD);
    const { out } = await run(["check", "-c", path, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ config: path, good: true, errors: [] });
    const missing = join(folder, "none.yaml");
    const { status, out: report } = await run(["check", "-c", missing, "--json"]);
    expect(status).toBe(2);
    expect(JSON.parse(report)).toEqual({
      config: missing,
      good: false,
      errors: [`Cannot read ${missing}: no such file or directory`],
      warnings: [],
      summary: [],
    });
  });
});
