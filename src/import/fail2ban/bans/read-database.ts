import { existsSync } from "node:fs";
import { cannot, StoplogError } from "../../../core/errors.ts";
import { runProgram } from "../../../core/run-program.ts";
import { counted } from "../../../core/wording.ts";
import { MINUTE } from "../../../core/time.ts";
import { type KnownBan, knownBan, type KnownBans } from "./known-ban.ts";
import { DATABASE_SCRIPT, LAST_LINE } from "./database-script.ts";

/**
 * The bans in fail2ban's database, whether fail2ban runs or not; nothing is written to it. Python reads it: fail2ban is written in Python, so
 * Python and its SQLite are where such a database is (docs/decisions/0014-python-reads-fail2bans-bans.md). Rejects with a StoplogError.
 */
export async function readDatabase(path: string): Promise<KnownBans> {
  if (!existsSync(path)) throw new StoplogError(`Cannot read ${path}: no such file or directory`);
  const argv = ["python3", "-I", "-c", DATABASE_SCRIPT, path, String(MOST_BANS)];
  const { fact, how, stdout } = await runProgram(argv, { mostOutput: MOST_BYTES, timeout: MINUTE });
  if (how === "not started")
    throw cannot(`read ${path}`, `needs python3, which fail2ban needs too (${fact})`);
  if (fact !== null) throw cannot(`read ${path}`, fact.replace(/^python3 exited with 1: /, ""));
  return readLines(stdout.toString(), path);
}

/** Most bans that are read: as many as the list of bans can hold. */
const MOST_BANS = 1_000_000;
const MOST_BYTES = 256 << 20;

/** What the script prints: an array a line, `LAST_LINE` behind them. Throws a StoplogError when it is not complete. */
export function readLines(text: string, path: string): KnownBans {
  const lines = text.trimEnd().split("\n");
  if (lines.pop() !== LAST_LINE) throw new StoplogError(`Cannot read ${path}: the answer is not complete`);
  const bans: KnownBan[] = [];
  let left = 0;
  for (const line of lines) {
    const ban = banOf(line);
    if (ban === null) left++;
    else bans.push(ban);
  }
  const sentences = [
    ...(lines.length < MOST_BANS ? [] : [`Only the first ${MOST_BANS} bans of ${path} were read`]),
    ...(left === 0 ? [] : [`${counted(left, "ban")} of ${path} left out: not of an address`]),
  ];
  return { bans, sentences };
}

function banOf(line: string): KnownBan | null {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return null;
  }
  if (!Array.isArray(row)) return null;
  const [jail, address, since, bantime, times] = row as readonly unknown[];
  return knownBan({ jail, address, since, bantime, times });
}
