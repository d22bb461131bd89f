import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";

/** One line of fail2ban's own samples, for one set of its filter's options. */
export interface Row {
  readonly file: string;
  readonly number: number;
  readonly line: string;
  readonly isMatch: boolean;
  /** What fail2ban finds; null where the sample does not say. */
  readonly host: string | null;
  /** Local time; null where the sample does not say. */
  readonly time: string | null;
}

/** A filter with options, and its rows in the order in which fail2ban's tests read them. */
export interface Instance {
  /** `sshd[mode=aggressive]`. */
  readonly call: string;
  readonly name: string;
  readonly isJournal: boolean;
  readonly rows: Row[];
}

const UNPACKED = unpackedAt("fail2ban");
const TESTS = join(UNPACKED, "usr/lib/python3/dist-packages/fail2ban/tests");
const LOGS = join(TESTS, "files/logs");
const TEST_FILTERS = join(TESTS, "config/filter.d");
const isOfTests = (name: string): boolean => name.startsWith("zzz-");

export const rowsFault = existsSync(LOGS)
  ? null
  : "needs fail2ban in .cache/debian (npm test unpacks it there)";

/** The time at which fail2ban's tests read the rows, and their zone. */
export const ROWS_NOW = Date.parse("2005-08-14T10:00:00Z");
export const ROWS_ZONE = "Europe/Berlin";

/** Every filter of the package that has samples, with each set of options that they name. */
export function readInstances(): readonly Instance[] {
  const own = filtersIn(join(UNPACKED, "etc/fail2ban/filter.d"), () => true);
  const tests = filtersIn(TEST_FILTERS, isOfTests);
  return [...own, ...tests].flatMap((name) => (existsSync(join(LOGS, name)) ? instancesOf(name) : []));
}

/** A copy of the package's configuration with one enabled jail for each instance, `row-0` and on. The caller removes it. */
export function rowsFolder(instances: readonly Instance[]): string {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-rows-"));
  cpSync(join(UNPACKED, "etc/fail2ban"), folder, { recursive: true });
  for (const name of filtersIn(TEST_FILTERS, isOfTests)) {
    const text = readFileSync(join(TEST_FILTERS, `${name}.conf`), "utf8");
    // It names the filters of the checkout.
    const moved = text.replace(/\.\.\/[./]*config\/filter\.d\//g, "");
    writeFileSync(join(folder, "filter.d", `${name}.conf`), moved);
  }
  rmSync(join(folder, "jail.d"), { recursive: true });
  const jails = instances.map(
    ({ call, isJournal }, i) =>
      `[row-${i}]\nenabled = true\nfilter = ${call}\nusedns = raw\n` +
      (isJournal ? "backend = systemd\n" : "backend = polling\nlogpath = /var/log/x.log\n"),
  );
  writeFileSync(join(folder, "jail.local"), jails.join("\n"));
  return folder;
}

function filtersIn(folder: string, isWanted: (name: string) => boolean): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".conf") && !file.endsWith("common.conf"))
    .map((file) => file.slice(0, -".conf".length))
    .filter((name) => isWanted(name))
    .toSorted();
}

type Options = Readonly<Record<string, string>>;

interface Said {
  readonly match?: boolean;
  readonly host?: string;
  readonly time?: string;
  readonly constraint?: string;
}

/** Reads samples as fail2ban's tests do: comments set options or say what the next line must give. */
function instancesOf(name: string): readonly Instance[] {
  const byCall = new Map<string, Instance>();
  const files = [name];
  let sets: readonly Options[] = [];
  for (let i = 0; i < files.length; i++) {
    const file = files[i] ?? "";
    let common: Options = {};
    let isIgnored = false;
    let said: Said = {};
    readFileSync(join(LOGS, file), "latin1")
      .split(/\r?\n/)
      .forEach((text, index) => {
        const [, kind, json = ""] = COMMENT.exec(text) ?? [];
        const value = kind === undefined ? null : (JSON.parse(json) as unknown);
        if (kind === "fileOptions") common = value as Options;
        else if (kind === "addFILE") files.push(value as string);
        else if (kind === "failJSON") said = value as Said;
        else if (kind === "filterOptions") {
          const list = (Array.isArray(value) ? value : [value]) as readonly Options[];
          const merged = list.map((options) => ({ ...common, ...options }));
          isIgnored = merged.some((options) => !holds(options["test.condition"], name, options));
          sets = isIgnored ? [] : merged;
        } else if (text.trim() !== "" && (!text.startsWith("#") || said.match !== undefined)) {
          const above = said;
          said = {};
          if (isIgnored) return;
          if (sets.length === 0) sets = [{}];
          for (const options of sets) {
            if (!holds(above.constraint, name, options)) continue;
            const row = { file, number: index + 1, line: text, ...expected(above) };
            instanceOf(name, options, byCall).rows.push(prefixed(row, options));
          }
        }
      });
  }
  return [...byCall.values()];
}

const COMMENT = /^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$/;

function expected({ match = false, host, time }: Said): Pick<Row, "isMatch" | "host" | "time"> {
  return { isMatch: match, host: host ?? null, time: time ?? null };
}

function instanceOf(name: string, options: Options, byCall: Map<string, Instance>): Instance {
  const given = Object.entries(options).filter(([option]) => !option.startsWith("test."));
  const call = given.length === 0 ? name : `${name}[${given.map(([k, v]) => `${k}="${v}"`).join(", ")}]`;
  const known = byCall.get(call) ?? { call, name, isJournal: options["logtype"] === "journal", rows: [] };
  byCall.set(call, known);
  return known;
}

/** The line as Stoplog's journal source makes it. */
function prefixed(row: Row, options: Options): Row {
  if (options["logtype"] !== "journal") return row;
  return { ...row, line: `2005-08-14T10:00:00.000000Z ${options["test.prefix-line"] ?? ""}${row.line}` };
}

/** The conditions that the samples have. */
function holds(condition: string | undefined, name: string, options: Options): boolean {
  if (condition === undefined) return true;
  const [, what = "", operator, value] =
    /^(name|opts\.get\('mode'\)) ?(==|!=) ?'([\w-]+)'$/.exec(condition) ?? [];
  if (operator === undefined) throw new Error(`an unknown condition: ${condition}`);
  const given = what === "name" ? name : options["mode"];
  return (given === value) === (operator === "==");
}
