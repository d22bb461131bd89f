import { join } from "node:path";
import { type LoadOptions, loadText } from "../../config/load.ts";
import type { ConfigReading } from "../../config/read-config.ts";
import { readText } from "../../config/read-text.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { rememberCompilations } from "../../match/filter/filter.ts";
import { type Disk, disk } from "./disk.ts";
import { fail2banFolder, type Fail2banImport, importFail2ban } from "./import-fail2ban.ts";

export interface Fail2banOptions extends LoadOptions {
  /** A stoplog.yaml with the other sections, such as `api`; null for none. */
  readonly file: string | null;
  readonly now: Instant;
}

/**
 * Reads fail2ban's folder as a configuration: sources, targets and jails are converted from it each time, without a trial on the logs. Returns all
 * errors as sentences. A folder with which fail2ban would not start is an error, so that a reload keeps what runs.
 */
export function loadFail2ban(path: string, { file, now, ...options }: Fail2banOptions): ConfigReading {
  const folder = fail2banFolder(path);
  const own = file === null ? { text: "" } : readText(file);
  if ("fact" in own) return { config: null, errors: [`Cannot read ${file}: ${own.fact}`] };
  rememberCompilations();
  const files = new Set<string>(file === null ? [] : [file]);
  const imported = tryImport(folder, recording(disk, folder, files), now);
  if ("errors" in imported) return { config: null, errors: imported.errors };
  const { config, ...reading } = loadText(
    {
      text: `${imported.text}\n${own.text.replace(/^---(?=\s)/, "#--")}`,
      path: file ?? join(folder, "jail.conf"),
      files,
      placeOf: ({ line, column }) => {
        const before = imported.text.split("\n").length;
        return line > before
          ? { line: line - before, column, file: file ?? folder }
          : { line, column, file: `stoplog import fail2ban ${folder}` };
      },
    },
    options,
  );
  if (config === null) return { config, ...reading };
  const differences = imported.differences;
  return { config: { ...config, path: file, imported: { folder, differences } }, ...reading };
}

function tryImport(
  folder: string,
  from: Disk,
  now: Instant,
): Fail2banImport | { readonly errors: readonly string[] } {
  try {
    const imported = importFail2ban(folder, from, now, { tries: false });
    if (imported.broken.length > 0) return { errors: imported.broken.map(asError) };
    if (imported.jails === 0) return { errors: [...imported.differences.filter(isOfJail), NO_JAIL(folder)] };
    return imported;
  } catch (error) {
    if (!(error instanceof StoplogError)) throw error;
    return { errors: [error.message] };
  }
}

const NO_JAIL = (folder: string): string => `Cannot use ${folder}: no jail is enabled and can be converted`;

/** Nothing is left out here: the whole folder is refused. */
function asError(sentence: string): string {
  const fact = sentence.replace(/: (?:left out|the last one counts)(?= \(|$)/, "");
  return fact.startsWith("Cannot ") ? fact : `Cannot use fail2ban's configuration: ${fact}`;
}

function isOfJail(sentence: string): boolean {
  return sentence.startsWith("jail ");
}

/** The same disk; notes the files of a folder that are read: root must not take commands from files that others can change. */
function recording(from: Disk, folder: string, files: Set<string>): Disk {
  return {
    ...from,
    read(path) {
      if (path.startsWith(`${folder}/`)) files.add(path);
      return from.read(path);
    },
  };
}
