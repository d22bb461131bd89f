import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { definitionOf } from "../../src/config/filters.ts";
import { findFilter } from "../../src/config/find-filter.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { disk } from "../../src/import/fail2ban/disk.ts";
import { importFail2ban } from "../../src/import/fail2ban/import-fail2ban.ts";
import { Notes } from "../../src/import/fail2ban/notes.ts";
import { originalOf } from "../../src/import/fail2ban/trial/original.ts";
import { FileReader } from "../../src/import/fail2ban/read-files.ts";
import { readJails } from "../../src/import/fail2ban/read-jails.ts";
import { explainLine } from "../../src/match/explain.ts";
import { compileFilter, type FilterDefinition } from "../../src/match/filter/filter.ts";
import { parseTimeZone } from "../../src/match/time/time-zone.ts";
import { titled } from "../support/namespace.ts";

const NOW = Date.parse("2026-11-20T15:00:00Z");
const UNPACKED = unpackedAt("fail2ban");
const PYTHON = "/usr/bin/python3";
const fault = !existsSync(UNPACKED)
  ? "needs fail2ban in .cache/debian (npm test unpacks it there)"
  : existsSync(PYTHON)
    ? null
    : `needs ${PYTHON}`;

/** Filters of the package, and the folder of the library whose samples both programs read. */
const COMPARED = {
  "apache-auth": "apache-auth",
  asterisk: "asterisk",
  "cyrus-imap": "cyrus",
  dovecot: "dovecot",
  exim: "exim",
  "nginx-bad-request": "nginx-scan",
  "nginx-http-auth": "nginx",
  "nginx-limit-req": "nginx-limit",
  "pam-generic": "pam-auth",
  postfix: "postfix",
  proftpd: "proftpd",
  "pure-ftpd": "pure-ftpd",
  vsftpd: "vsftpd",
} as const;

describe.skipIf(fault !== null)(titled("the configuration of fail2ban's package", fault), () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-fail2ban-"));
    cpSync(join(UNPACKED, "etc/fail2ban"), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("converts to a valid configuration with every jail kept or reported", () => {
    writeFileSync(join(folder, "jail.local"), "[DEFAULT]\nenabled = true\n");
    const { text, differences } = importFail2ban(folder, disk, NOW);
    const { config, errors } = readConfig(text, "stoplog.yaml", {
      readFilter: (name) => findFilter(name),
      stateDirectory: null,
    });
    expect(errors).toEqual([]);
    const written = new Set(config?.jails.map(({ name }) => name));
    const all = [...readFileSync(join(folder, "jail.conf"), "utf8").matchAll(/^\[([^\]]+)\]/gm)]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "INCLUDES" && name !== "DEFAULT");
    expect(all.length).toBeGreaterThan(50);
    const lost = all.filter(
      (name) => !written.has(name) && !differences.some((sentence) => sentence.startsWith(`jail ${name}: `)),
    );
    expect(lost).toEqual([]);
    expect(written.size).toBeGreaterThan(all.length * 0.9);
  });

  it("is read as fail2ban reads it: every number and pattern of every jail", () => {
    writeFileSync(join(folder, "jail.local"), "[DEFAULT]\nenabled = true\nbackend = systemd\n");
    const theirs = fail2banReading(folder);
    const jails = readJails(folder, new FileReader(disk, new Notes()), new Notes());
    const ours = (jails?.enabled ?? []).map((jail) => [
      jail.name,
      Object.fromEntries(
        COMPARED_OPTIONS.map((option) => {
          const text = (jail.get(option) ?? jail.filter?.definition.get(option))?.text ?? "";
          return [
            option,
            text
              .split("\n")
              .filter((line) => line !== "")
              .join("\n"),
          ];
        }),
      ),
    ]);
    expect(Object.fromEntries(ours)).toEqual(theirs);
    expect(Object.values(theirs).filter(({ failregex }) => failregex !== "").length).toBeGreaterThan(50);
  });

  it.each(Object.entries(COMPARED))(
    "has a filter %s that, converted, matches the same lines in the samples of %s",
    (name, library) => {
      const own = `own-${name}`;
      cpSync(join(folder, "filter.d", `${name}.conf`), join(folder, "filter.d", `${own}.conf`));
      const jail = `[DEFAULT]\nenabled = false\n[${own}]\nenabled = true\nlogpath = /var/log/x.log\n`;
      writeFileSync(join(folder, "jail.local"), jail);
      rmSync(join(folder, "jail.d"), { recursive: true, force: true });
      const page = parse(importFail2ban(folder, disk, NOW).text) as Page;
      const definition = definitionOf(own, page.jails[own]?.filter ?? {});
      const { filter } = compileFilter(definition);
      const zone = parseTimeZone("UTC");
      if (filter === null || zone === null) throw new Error(`${name} was not converted`);
      const samples = readFileSync(join(packageRoot(), "filters", library, "samples.log"), "utf8");
      const lines = samples.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      const context = { now: NOW, zone };
      const found = lines.filter(
        (line) => explainLine(filter, Buffer.from(line).toString("latin1"), context).kind === "failure",
      );
      const theirs = matchedByFail2ban(folder, own, lines);
      // The trial of the import: fail2ban's patterns, run by Stoplog, match what fail2ban matches.
      const jails = readJails(folder, new FileReader(disk, new Notes()), new Notes());
      const options = jails?.enabled[0]?.filter?.definition;
      const list = (option: string) => (options?.get(option)?.text ?? "").split("\n").filter(Boolean);
      const original = originalOf({
        failregex: list("failregex"),
        ignoreregex: list("ignoreregex"),
        prefregex: options?.get("prefregex")?.text ?? null,
        datepattern: options?.get("datepattern")?.text ?? null,
        usesNames: true,
        isJournal: false,
      });
      const counted = lines.filter((line) => original?.count(Buffer.from(line).toString("latin1"), context));
      expect(counted).toEqual(lines.filter((line) => theirs.has(line.trimEnd())));
      expect(found).toEqual(lines.filter((line) => theirs.has(line.trimEnd())));
      expect(found.length).toBeGreaterThan(0);
    },
  );
});

interface Page {
  readonly jails: Readonly<Record<string, { readonly filter?: Partial<FilterDefinition> }>>;
}

const COMPARED_OPTIONS = [
  "maxretry",
  "findtime",
  "bantime",
  "failregex",
  "ignoreregex",
  "prefregex",
  "datepattern",
];

/** How fail2ban itself reads a folder: the commands for its server, by jail and option. */
function fail2banReading(folder: string): Record<string, Record<string, string>> {
  const asJson =
    "import ast,json,sys\nfor line in sys.stdin:\n  if line.startswith('['): print(json.dumps(ast.literal_eval(line)))";
  const dump = fail2ban("fail2ban-client", ["-c", folder, "-d"]);
  const jails: Record<string, Record<string, string>> = {};
  for (const line of python(["-c", asJson], dump).split("\n").filter(Boolean)) {
    const [verb, jail = "", option, value] = JSON.parse(line) as [string, string?, unknown?, unknown?];
    if (verb === "add") jails[jail] = Object.fromEntries(COMPARED_OPTIONS.map((name) => [name, ""]));
    const name = String(option).replace(/^add/, "");
    const options = jails[jail];
    if (options === undefined || !/^(?:multi-)?set$/.test(verb) || !COMPARED_OPTIONS.includes(name)) continue;
    options[name] = Array.isArray(value) ? value.join("\n") : String(value);
  }
  return jails;
}

/** The lines that fail2ban's own filter matches. */
function matchedByFail2ban(folder: string, filter: string, lines: readonly string[]): ReadonlySet<string> {
  const log = join(folder, `${filter}.log`);
  writeFileSync(log, `${lines.join("\n")}\n`);
  const printed = fail2ban("fail2ban-regex", [
    "-c",
    folder,
    "-r",
    "--print-all-matched",
    "--print-no-missed",
    log,
    filter,
  ]);
  const [, section = ""] = /\|- Matched line\(s\):\n((?:\| {2}.*\n)*)/.exec(printed) ?? [];
  return new Set(section.split("\n").map((line) => line.slice(3).trimEnd()));
}

/** Runs one of fail2ban's programs from where its package was unpacked. */
function fail2ban(program: string, words: readonly string[]): string {
  return python([join(UNPACKED, "usr/bin", program), ...words]);
}

function python(words: readonly string[], input = ""): string {
  const { stdout, stderr, error } = spawnSync(PYTHON, words, {
    encoding: "utf8",
    input,
    maxBuffer: 1 << 26,
    env: { ...process.env, PYTHONPATH: join(UNPACKED, "usr/lib/python3/dist-packages") },
  });
  if (error !== undefined || stdout === "") throw new Error(`${words[0]}: ${error?.message ?? stderr}`);
  return stdout;
}
