import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Book } from "../../src/book/book.ts";
import { parseAddress } from "../../src/core/address.ts";
import type { Ban } from "../../src/core/ban.ts";
import { hostPrefix, prefixOf } from "../../src/core/prefix.ts";
import { FOREVER, HOUR } from "../../src/core/time.ts";
import { BanLog } from "../../src/observe/ban-log.ts";
import { type LogOptions, openLog } from "../../src/observe/log.ts";
import { hitHost, PHRASES, VICTIM } from "./forging.ts";
import { CONTEXT, readLibrary } from "./library.ts";

const filter = readLibrary().find(({ name }) => name === "recidive")?.filter ?? null;

afterEach(() => void vi.unstubAllEnvs());

const FORMATS: [name: string, format: LogOptions["format"], journal: boolean, syslog: string][] = [
  ["text", "text", false, ""],
  ["JSON", "json", false, ""],
  ["the journal", "text", true, "Nov 20 14:44:48 host stoplog[1234]: "],
];

describe.each(FORMATS)("the filter recidive on Stoplog's own log as %s", (_, format, journal, syslog) => {
  it("counts bans of addresses and networks by jails, and nothing else", () => {
    expect(hosts(logOf([ban(), ban({ prefix: network() }), ban({ until: FOREVER })]))).toEqual([
      "192.0.2.1",
      "2001:db8:1:2::",
      "192.0.2.1",
    ]);
    expect(
      hosts(logOf([ban({ jail: "" }), ban({ jail: "recidive" }), ban({ jail: "recidive-web" })])),
    ).toEqual([]);
  });

  it("ignores attacker text in reasons and messages", () => {
    const own = logOf([ban()])[0] ?? "";
    const texts = [...PHRASES, own, `x\n${own}`, `x\r\n${own}`, `(sshd): ${own}`].map((text) =>
      text.replaceAll("192.0.2.1", VICTIM),
    );
    const lines = texts.flatMap((text) => [
      ...logOf([ban({ reason: text })]),
      ...logOf([ban({ jail: "", reason: text })]),
      ...written((log) => log.info(`Freed x: ${text}`)),
      ...written((log) => log.warn(text.trimStart())),
    ]);
    expect(lines.length).toBe(texts.length * 4);
    expect(hosts(lines).filter((host) => host.includes(VICTIM))).toEqual([]);
  });

  function logOf(bans: readonly Ban[]): string[] {
    return bans.flatMap((one) =>
      written((log) => {
        const book = new Book({ capacity: 10, changes: 10 });
        const banLog = new BanLog(book, log);
        book.ban(one);
        banLog.close();
      }),
    );
  }

  /** The lines as a source delivers them. */
  function written(say: (log: ReturnType<typeof openLog>) => void): string[] {
    vi.stubEnv("JOURNAL_STREAM", journal ? "1:2" : undefined);
    const directory = mkdtempSync(join(tmpdir(), "stoplog-recidive-"));
    const fd = openSync(join(directory, "log"), "w");
    try {
      say(openLog({ level: "info", format, fd }, { written: 0, lost: 0 }));
      const lines = readFileSync(join(directory, "log"), "utf8").split("\n").slice(0, -1);
      return lines.map((line) => syslog + (journal ? line.replace(/^<\d>/, "") : line));
    } finally {
      closeSync(fd);
      rmSync(directory, { recursive: true });
    }
  }
});

function hosts(lines: readonly string[]): string[] {
  if (filter === null) throw new Error("there is no filter recidive");
  return lines.flatMap((line) => hitHost(filter, line) ?? []);
}

function ban(given: Partial<Ban> = {}): Ban {
  return {
    prefix: hostPrefix(addressOf("192.0.2.1")),
    target: "default",
    jail: "sshd",
    reason: "5 failures in 10m",
    since: CONTEXT.now,
    until: CONTEXT.now + HOUR,
    origin: "local",
    ...given,
  };
}

function network(): Ban["prefix"] {
  return prefixOf(addressOf("2001:db8:1:2::9"), 64);
}

function addressOf(text: string): NonNullable<ReturnType<typeof parseAddress>> {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`${text} is not an address`);
  return parsed;
}
