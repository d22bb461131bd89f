import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { parseAddress, type Address } from "../../core/address.ts";
import type { AddressRanges } from "../../core/ranges.ts";
import { AddressList, type ListNews, type ListOptions } from "./address-list.ts";
import { DEFAULT_SWAY } from "./check-list.ts";
import { KeptCopies } from "./kept-copy.ts";
import { networks, prefix } from "../../../test/support/parsed-list.ts";
import { DEFAULT_BOUNDS } from "./parse-list.ts";
import { type SpecialNetwork, SPECIAL_PURPOSE } from "../../core/special-purpose.ts";
import { until } from "../../../test/support/waiting.ts";

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-list-"));
  file = join(dir, "etc", "bad.txt");
  mkdirSync(join(dir, "etc"));
  mkdirSync(join(dir, "state"));
  return () => rmSync(dir, { recursive: true });
});

describe("an AddressList of a file", () => {
  it("is applied, and applied again when the file changes: replaced, written to, or behind a link", async () => {
    writeFileSync(file, "192.0.2.1\n");
    const list = run();
    await list.holds("192.0.2.1");
    writeFileSync(`${file}.tmp`, "192.0.2.2\n");
    renameSync(`${file}.tmp`, file);
    await list.holds("192.0.2.2");
    appendFileSync(file, "192.0.2.4\n");
    await list.holds("192.0.2.2", "192.0.2.4");
    expect(list.list.state).toMatchObject({
      name: "bad",
      state: `follows ${file}`,
      networks: 2,
      held: null,
      trouble: null,
    });
    expect(list.list.has(parseAddress("192.0.2.4") as Address)).toBe(true);
    expect(list.list.has(parseAddress("192.0.2.3") as Address)).toBe(false);
  });

  it("waits for its file, and stays in use when the file is deleted", async () => {
    const list = run();
    const waits = `waits for ${file}: there is no such file or folder`;
    await until(
      "the list waits for its file",
      () => list.list.state.state === waits,
      () => list.list.state.state,
    );
    writeFileSync(file, "192.0.2.1\n");
    await list.holds("192.0.2.1");
    rmSync(file);
    await until(
      "the list waits for its file",
      () => list.list.state.state === waits,
      () => list.list.state.state,
    );
    expect(list.applied).toHaveLength(1);
  });

  it("contains all files of a folder, except temporary ones", async () => {
    const folder = join(dir, "etc");
    for (const name of ["a.txt", "b.netset", ".hidden", "c.tmp", "d~"])
      writeFileSync(join(folder, name), `192.0.2.${name.charCodeAt(0)}\n`);
    symlinkSync("a.txt", join(folder, "link.txt"));
    const list = run({ from: { kind: "files", path: folder } });
    await list.holds("192.0.2.97", "192.0.2.98");
    rmSync(join(folder, "b.netset"));
    await list.holds("192.0.2.97");
  });

  it("leaves out special, own and allow-listed networks, and is checked again when these change", async () => {
    writeFileSync(file, "10.0.0.0/8\n198.51.100.0/30\n");
    const exempt: SpecialNetwork[] = [...SPECIAL_PURPOSE];
    const list = run({}, exempt);
    await list.holds("198.51.100.0/30");
    exempt.push({ prefix: prefix("198.51.100.1"), why: "allow-listed" });
    await list.list.recheck(list.signal);
    await list.holds("198.51.100.0", "198.51.100.2/31");
    expect(list.list.state.reading?.takenOut.map(({ why }) => why)).toEqual(["private", "allow-listed"]);
  });

  it("is held back when it changes too much, also over a restart, until it is released", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `198.51.${i >> 7}.${(i & 127) * 2}`);
    writeFileSync(file, many.join("\n"));
    const first = run();
    await until(
      "the list is loaded",
      () => first.list.state.networks === 3000,
      () => "loaded",
    );
    writeFileSync(file, "192.0.2.1\n");
    await until(
      "the list is held",
      () => first.list.state.held !== null,
      () => "held",
    );
    expect(first.list.state).toMatchObject({ held: "it shrank from 3000 to 1 networks", networks: 3000 });
    await first.stop();
    const second = run();
    await until(
      "the list is held",
      () => second.list.state.held !== null,
      () => "held again",
    );
    expect(second.applied).toEqual([]);
    expect(await second.list.release(second.signal)).toBe(true);
    await second.holds("192.0.2.1");
    expect(second.list.state).toMatchObject({ held: null, networks: 1 });
    expect(await second.list.release(second.signal)).toBe(false);
  });

  it("is not used when none of its lines can be read, or when it is too long [limit: listBytes]", async () => {
    writeFileSync(file, "192.0.2.1\n");
    const list = run({ bounds: { ...DEFAULT_BOUNDS, bytes: 1000 } });
    await list.holds("192.0.2.1");
    writeFileSync(file, "<html>\n<h1>We are sorry</h1>\n");
    await list.troubled(
      'Cannot use the list bad: none of its 2 lines could be read, the first of which is "<html>"',
    );
    writeFileSync(file, "192.0.2.2\n".repeat(101));
    await list.troubled(`Cannot read ${file}: it is longer than 1000 bytes`);
    expect(list.applied).toHaveLength(1);
    writeFileSync(file, "");
    await list.holds();
    expect(list.list.state.trouble).toBeNull();
  });

  it("stays in use after a release although it covers much, when it is checked again and over a restart", async () => {
    writeFileSync(file, Array.from({ length: 80 }, (_, i) => `${i + 20}.0.0.0/8`).join("\n"));
    const exempt: SpecialNetwork[] = [...SPECIAL_PURPOSE];
    const first = run({}, exempt);
    await until(
      "the list is held",
      () => first.list.state.held !== null,
      () => "held",
    );
    expect(first.list.state.held).toBe("it covers 31 % of all IPv4 addresses");
    expect(await first.list.release(first.signal)).toBe(true);
    exempt.push({ prefix: prefix("50.0.0.0/9"), why: "allow-listed" });
    await first.list.recheck(first.signal);
    expect(first.list.state.held).toBeNull();
    expect(networks(first.applied.at(-1)!)).toContain("50.128.0.0/9");
    await first.stop();
    const second = run({}, exempt);
    await until(
      "the list is loaded or held",
      () => second.list.state.networks > 0 || second.list.state.held !== null,
      () => "loaded",
    );
    expect(second.list.state.held).toBeNull();
  });

  it("drops newly allow-listed addresses also while its file is held back, unreadable, or deleted", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `198.51.${i >> 7}.${(i & 127) * 2}`);
    writeFileSync(file, many.join("\n"));
    const exempt: SpecialNetwork[] = [...SPECIAL_PURPOSE];
    const list = run({}, exempt);
    await until(
      "the list is loaded",
      () => list.list.state.networks === 3000,
      () => "loaded",
    );
    writeFileSync(file, "192.0.2.1\n");
    await until(
      "the list is held",
      () => list.list.state.held !== null,
      () => "held",
    );
    const inForce = () => networks(list.applied.at(-1)!);
    exempt.push({ prefix: prefix(many[5]!), why: "allow-listed" });
    await list.list.recheck(list.signal);
    expect(inForce()).toHaveLength(2999);
    expect(inForce()).not.toContain(many[5]);
    expect(list.list.state).toMatchObject({ held: "it shrank from 3000 to 1 networks", networks: 2999 });
    expect(list.list.has(parseAddress(many[5]!) as Address)).toBe(false);
    rmSync(file);
    exempt.push({ prefix: prefix(many[6]!), why: "an own address" });
    await list.list.recheck(list.signal);
    expect(inForce()).toHaveLength(2998);
    expect(list.list.state.reading?.takenOut.map(({ why }) => why)).toEqual([
      "allow-listed",
      "an own address",
    ]);
  });

  it("reports what could not be enforced, and keeps the previous version", async () => {
    writeFileSync(file, "192.0.2.1\n");
    const list = run();
    await list.holds("192.0.2.1");
    list.refuse = true;
    writeFileSync(file, "192.0.2.2\n");
    await list.troubled("Cannot load the list bad: the kernel says no");
    expect(list.list.has(parseAddress("192.0.2.1") as Address)).toBe(true);
    await list.list.retry(list.signal);
    await list.holds("192.0.2.1");
    list.refuse = false;
    await list.list.retry(list.signal);
    await list.holds("192.0.2.2");
    expect(list.list.state.trouble).toBeNull();
    await list.list.retry(list.signal);
    expect(list.applied).toHaveLength(2);
  });

  it("is enforced when its table is restored, if the table was lost during the first load", async () => {
    writeFileSync(file, "192.0.2.1\n");
    const list = run();
    list.refuse = true;
    await list.troubled("Cannot load the list bad: the kernel says no");
    list.refuse = false;
    await list.list.reapply(list.signal);
    await list.holds("192.0.2.1");
  });
});

/** Runs a list of the test's folder until the test ends. */
function run(options: Partial<ListOptions> = {}, exempt: readonly SpecialNetwork[] = SPECIAL_PURPOSE) {
  const abort = new AbortController();
  const applied: AddressRanges[] = [];
  const news: ListNews[] = [];
  const running = {
    refuse: false,
    applied,
    news,
    signal: abort.signal,
    list: new AddressList(
      {
        name: "bad",
        from: { kind: "files", path: file },
        bounds: DEFAULT_BOUNDS,
        sway: DEFAULT_SWAY,
        ...options,
      },
      {
        copies: new KeptCopies(join(dir, "state")),
        userAgent: "stoplog/test",
        exempt: () => exempt,
        apply: async (ranges) => {
          if (running.refuse) throw new Error("the kernel says no");
          applied.push(ranges);
        },
        say: (one) => news.push(one),
      },
    ),
    async holds(...wanted: readonly string[]) {
      const shown = () => JSON.stringify(applied.length === 0 ? null : networks(applied.at(-1)!));
      await until("the list holds the wanted networks", () => shown() === JSON.stringify(wanted), shown);
    },
    async troubled(fact: string) {
      await until(
        "the list is in this trouble",
        () => running.list.state.trouble === fact,
        () => String(running.list.state.trouble),
      );
    },
    async stop() {
      abort.abort();
      await done;
    },
  };
  const done = running.list.run(abort.signal);
  onTestFinished(() => running.stop());
  return running;
}
