import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { IgnoreFrom } from "../../config/ignoreip.ts";
import { parseAddress } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { MINUTE, SECOND } from "../../core/time.ts";
import type { Settings } from "../feature.ts";
import type { Resolve } from "../name-lookup.ts";
import { parseIgnoreFile } from "./ignore-file.ts";
import { IgnoredElsewhere } from "./ignored-elsewhere.ts";

const NAME: IgnoreFrom = { kind: "name", name: "host.example.org" };

function settings(ignoreFrom: readonly IgnoreFrom[], ofJail: readonly IgnoreFrom[] = []): Settings {
  return { config: { ignoreFrom, jails: [{ name: "sshd", ignoreFrom: ofJail }] } } as unknown as Settings;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "stoplog-ignored-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("names in ignoreip", () => {
  it("are resolved before the first line, then every five minutes; a failure keeps the last addresses", async () => {
    let now = 1_000_000;
    let answer: (() => ReturnType<Resolve>) | null = async () => [{ address: "198.51.100.1" }];
    let asked = 0;
    const elsewhere = new IgnoredElsewhere(
      () => now,
      () => {
        asked++;
        return answer === null ? Promise.reject(new Error("no answer")) : answer();
      },
    );
    const allowed = (): string[] => [...elsewhere.forAll()].map(formatPrefix);
    await elsewhere.follow(settings([NAME]));
    expect(allowed()).toEqual(["198.51.100.1"]);
    elsewhere.tick((now += 4 * MINUTE));
    expect(asked).toBe(1);

    answer = null;
    elsewhere.tick((now += MINUTE));
    await settled();
    expect(allowed()).toEqual(["198.51.100.1"]);
    expect([...elsewhere.troubles()]).toEqual([
      {
        of: "ignoreip host.example.org",
        sentence: "Cannot resolve host.example.org for ignoreip: no answer",
      },
    ]);
    expect(elsewhere.status().ignoreip).toMatchObject({ addresses: 1, failed: 1 });

    answer = async () => [{ address: "198.51.100.2" }, { address: "2001:db8::2" }];
    elsewhere.tick((now += 30 * SECOND));
    await settled();
    expect(allowed()).toEqual(["198.51.100.2", "2001:db8::2"]);
    expect([...elsewhere.troubles()]).toEqual([]);
    answer = async () => [];
    elsewhere.tick((now += 5 * MINUTE));
    await settled();
    expect([allowed().length, [...elsewhere.troubles()].length]).toEqual([2, 1]);
  });

  it("of one jail allow for that jail alone; a reload keeps their addresses", async () => {
    let asked = 0;
    const elsewhere = new IgnoredElsewhere(
      () => 0,
      async () => [{ address: `198.51.100.${++asked}` }],
    );
    await elsewhere.follow(settings([], [NAME]));
    const [set] = elsewhere.sets([NAME]);
    const is = (text: string): boolean | undefined => set?.has(parseAddress(text)!);
    expect([is("198.51.100.1"), is("198.51.100.2"), [...elsewhere.forAll()]]).toEqual([true, false, []]);
    await elsewhere.follow(settings([NAME], []));
    expect([asked, elsewhere.sets([NAME])[0] === set]).toEqual([1, true]);
    await elsewhere.follow(settings([], []));
    expect(elsewhere.sets([NAME])).toEqual([]);
  });

  it("[limit: ignoredSources] beyond the bound are not used, and that is said", async () => {
    const names = Array.from({ length: LIMITS.ignoredSources.value + 2 }, (_, i): IgnoreFrom => {
      return { kind: "name", name: `h${i}.example.org` };
    });
    const elsewhere = new IgnoredElsewhere(
      () => 0,
      async () => [{ address: "198.51.100.1" }],
    );
    await elsewhere.follow(settings(names));
    expect(elsewhere.status().ignoreip?.dropped).toBe(2);
    expect([...elsewhere.warnings()].join()).toContain("the last 2 are not used");
  });
});

describe("files in ignoreip", () => {
  it("are read again when they change; what a missing file said last stays", async () => {
    const path = join(folder(), "allowed");
    const elsewhere = new IgnoredElsewhere(() => 0);
    const allowed = (): string[] => [...elsewhere.forAll()].map(formatPrefix);
    await elsewhere.follow(settings([{ kind: "file", path }]));
    expect([...elsewhere.troubles()].map(({ sentence }) => sentence)).toEqual([
      `Cannot read ${path} for ignoreip: no such file or directory`,
    ]);
    writeFileSync(path, "198.51.100.1\n");
    elsewhere.tick(1);
    expect([allowed(), [...elsewhere.troubles()]]).toEqual([["198.51.100.1"], []]);
    writeFileSync(path, "198.51.100.0/24, 2001:db8::/32 # the office\noffice\n");
    elsewhere.tick(2);
    expect(allowed()).toEqual(["198.51.100.0/24", "2001:db8::/32"]);
    expect([...elsewhere.warnings()]).toEqual([
      `'office' is not an address or a network: not used (${path}:2)`,
    ]);
    rmSync(path);
    elsewhere.tick(3);
    elsewhere.tick(4);
    expect([allowed().length, elsewhere.status().ignoreip]).toEqual([
      2,
      { addresses: 2, failed: 2, bad: 1, dropped: 0 },
    ]);
  });

  it("[limit: ignoredEntries] with too many entries are cut, and that is said", () => {
    const over = LIMITS.ignoredEntries.value + 9;
    const text = Array.from({ length: over }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`).join(
      "\n",
    );
    const { prefixes, remarks, bad } = parseIgnoreFile(text, "/a");
    expect([prefixes.length, bad, remarks.length]).toEqual([over - 9, 9, 5]);
    expect(remarks[0]).toContain(`/a:${over - 8}`);
  });
});
