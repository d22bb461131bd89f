import type { DaemonRival } from "./daemon.ts";
import { fail2banAppend, fail2banNft } from "./fail2ban-daemon.ts";
import { noDaemon } from "./no-daemon.ts";
import { stoplogDaemon } from "./stoplog-daemon.ts";

export const DAEMONS: Readonly<Record<string, DaemonRival>> = {
  stoplog: stoplogDaemon,
  fail2ban: fail2banNft,
  "fail2ban-append": fail2banAppend,
  neither: noDaemon,
};

export function daemonNamed(name: string): DaemonRival {
  const rival = DAEMONS[name];
  if (rival === undefined) throw new Error(`there is no daemon ${name} in the bench`);
  return rival;
}
