import { cannot } from "../../../core/errors.ts";
import { type Argv, runProgram } from "../../../core/run-program.ts";
import { SECOND } from "../../../core/time.ts";
import { type KnownBan, knownBan, type KnownBans } from "./known-ban.ts";

/** The bans of a running fail2ban, asked through its client: for one that keeps no database. How often an address was banned is not known then. */
export async function askClient(client: Argv = ["fail2ban-client"]): Promise<KnownBans> {
  const jails = jailsOf(await answer([...client, "status"]));
  const bans: KnownBan[] = [];
  for (const jail of jails) {
    const text = await answer([...client, "get", jail, "banip", "--with-time"]);
    bans.push(...text.split("\n").flatMap((line) => banOf(line, jail) ?? []));
  }
  return { bans, sentences: [] };
}

/** The jails in the answer to `status`. */
export function jailsOf(status: string): readonly string[] {
  const [, list = ""] = /Jail list:\s*(.*)$/m.exec(status) ?? [];
  return list.split(/,\s*/).filter((name) => name !== "");
}

/** `198.51.100.7 \t2026-11-20 14:00:00 + 600 = 2026-11-20 14:10:00`, in local time; null for another line. */
export function banOf(line: string, jail: string): KnownBan | null {
  const [, address, day, time, bantime] =
    /^(\S+)\s+(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+ (-?\d+) = /.exec(line.trim()) ?? [];
  if (address === undefined) return null;
  const since = Date.parse(`${day}T${time}`) / SECOND;
  return knownBan({ jail, address, since, bantime: Number(bantime), times: 1 });
}

async function answer(argv: Argv): Promise<string> {
  const { fact, stdout } = await runProgram(argv, { mostOutput: MOST_BYTES, timeout: PATIENCE });
  if (fact !== null) throw cannot("ask fail2ban", fact);
  return stdout.toString();
}

const MOST_BYTES = 64 << 20;
const PATIENCE = 30 * SECOND;
