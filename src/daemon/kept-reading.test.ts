import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialize } from "node:v8";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig, loadText } from "../config/load.ts";
import { readWhole } from "../config/reading.ts";
import type { Log } from "../observe/log.ts";
import { KeptReading, keptReading } from "./kept-reading.ts";
import { Readings } from "./readings.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
const config = (): string => at("stoplog.yaml");
const file = (): string => at("control.sock.config");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-kept-"));
  writeFileSync(at("filter.yaml"), "failregex: '^fail <HOST>$'\n");
  writeFileSync(config(), text({ maxretry: 3 }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function text({ maxretry, more = "" }: { readonly maxretry: number; readonly more?: string }): string {
  return `state: ${folder}/state
sources: { log: { type: file, path: ${folder}/log } }
jails: { one: { sources: log, filter: ./filter.yaml, maxretry: ${maxretry} } }
${more}`;
}

const kept = (build = "build 1"): KeptReading => new KeptReading(file(), config(), build);

/** Keeps what reading the configuration gives now. */
async function keep(): Promise<void> {
  const reading = readWhole(loadConfig(config()));
  expect(reading.errors).toEqual([]);
  await kept().keep(serialize(reading));
}

describe("a kept reading", () => {
  it("equals what reading the same files again gives", async () => {
    await keep();
    expect(kept().read()).toEqual(readWhole(loadConfig(config())));
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("has no fault when it is missing", () => {
    const reading = kept();
    expect([reading.read(), reading.fault]).toEqual([null, null]);
  });

  it.each<[string, () => void]>([
    ["the configuration changed", () => writeFileSync(config(), text({ maxretry: 4 }))],
    ["the configuration is gone", () => rmSync(config())],
    ["a filter changed", () => writeFileSync(at("filter.yaml"), "failregex: '^fails <HOST>$'\n")],
    ["a filter is gone", () => rmSync(at("filter.yaml"))],
    ["a filter became a folder", () => (rmSync(at("filter.yaml")), mkdirSync(at("filter.yaml")))],
    ["another user can change the configuration", () => chmodSync(config(), 0o666)],
    ["another user can change a filter", () => chmodSync(at("filter.yaml"), 0o666)],
  ])("is not used when %s", async (_, change) => {
    await keep();
    expect(kept().read()).not.toBeNull();
    change();
    const reading = kept();
    expect([reading.read(), reading.fault]).toEqual([null, "the configuration changed"]);
  });

  it("is not used by another build of the program", async () => {
    await keep();
    const other = kept("build 2");
    expect([other.read(), other.fault]).toEqual([null, "it is another program's or configuration's"]);
  });

  it("is not used in another Node", async () => {
    await keep();
    const bytes = readFileSync(file(), "latin1");
    const node = Object.getOwnPropertyDescriptor(process.versions, "node");
    Object.defineProperty(process.versions, "node", { ...node, value: "20.0.0" });
    try {
      expect(kept().read()).toBeNull();
    } finally {
      if (node !== undefined) Object.defineProperty(process.versions, "node", node);
    }
    expect(bytes).toBe(readFileSync(file(), "latin1"));
    expect(kept().read()).not.toBeNull();
  });

  it("is not used when one byte of it is damaged, or its end is missing", async () => {
    await keep();
    const whole = readFileSync(file());
    const places = Array.from({ length: 60 }, (_, i) => Math.floor((i * (whole.length - 1)) / 59));
    for (const place of [...Array.from({ length: 40 }, (_, i) => i), ...places]) {
      const damaged = Buffer.from(whole);
      damaged[place]! ^= 1 << (place % 8);
      writeFileSync(file(), damaged);
      expect([place, kept().read()]).toEqual([place, null]);
      writeFileSync(file(), whole.subarray(0, place));
      expect([place, kept().read()]).toEqual([place, null]);
    }
    writeFileSync(file(), whole);
    expect(kept().read()).not.toBeNull();
  });

  it.each<[string, string, () => void]>([
    ["other users can read it", "its mode is 644, not 600", () => chmodSync(file(), 0o644)],
    ["its place is a folder", "it is not a regular file", () => (rmSync(file()), mkdirSync(file()))],
    [
      "a link leads to it",
      "a link where none is followed",
      () => (renameSync(file(), at("other")), symlinkSync(at("other"), file())),
    ],
    ["every user can replace it", "every user can", () => chmodSync(folder, 0o777)],
  ])("is not used when %s", async (_, fault, change) => {
    await keep();
    change();
    const reading = kept();
    expect(reading.read()).toBeNull();
    expect(reading.fault).toContain(fault);
  });

  it.skipIf(process.geteuid?.() !== 0)("is not used when another user owns it (needs root)", async () => {
    await keep();
    chownSync(file(), 65534, 65534);
    const reading = kept();
    expect([reading.read(), reading.fault]).toEqual([null, "user 65534 owns it"]);
  });
});

describe("a reading that depends on more than its files", () => {
  it("is not kept: the secret of a token", () => {
    writeFileSync(at("secret"), `${"s".repeat(40)}\n`, { mode: 0o600 });
    const api = `api: { listen: '127.0.0.1:8080', tokens: { one: { secret_file: ${folder}/secret, read: true } } }`;
    writeFileSync(config(), text({ maxretry: 3, more: api }));
    const { errors, inputs } = readWhole(loadConfig(config()));
    expect([errors, inputs]).toEqual([[], null]);
  });

  it("is not kept: the built-in configuration, and fail2ban's folder", () => {
    const place = { file: null, fail2ban: null };
    expect(keptReading(file(), place)).toBeNull();
    expect(keptReading(file(), { file: config(), fail2ban: "/etc/fail2ban" })).toBeNull();
    expect(readWhole(loadText({ text: text({ maxretry: 3 }), path: config(), files: [] })).inputs).toBeNull();
  });
});

it("says at debug level why a kept reading was not used and why none can be kept, and reads the configuration", async () => {
  const said: string[] = [];
  const log = { debug: (sentence: string) => void said.push(sentence) } as Log;
  writeFileSync(file(), "nonsense", { mode: 0o600 });
  const program = process.argv[1];
  process.argv[1] = at("reader.cjs");
  writeFileSync(at("answer"), serialize(readWhole(loadConfig(config()))));
  writeFileSync(
    at("reader.cjs"),
    `process.stdin.on("data", () => 0).on("end", () => process.stdout.write(require("fs").readFileSync(${JSON.stringify(at("answer"))})));`,
  );
  try {
    const readings = new Readings(
      { file: config(), fail2ban: null },
      new KeptReading(file(), config(), "build 1"),
    );
    const first = await readings.first();
    expect(first.config?.jails[0]?.maxretry).toBe(3);
    rmSync(file());
    mkdirSync(file()); // as a folder that cannot be written to: also root cannot replace it by a file
    await readings.keep(log);
    expect(said).toEqual([
      "The configuration was read again: it is not a kept configuration",
      expect.stringMatching(/^Cannot keep the configuration as it was read: /),
    ]);
    rmSync(file(), { recursive: true });
    expect((await readings.again()).config?.jails[0]?.maxretry).toBe(3);
    await readings.keep(log);
    expect(kept().read()).not.toBeNull();
    expect(said).toHaveLength(2);
  } finally {
    process.argv[1] = program ?? "";
  }
});
