import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { workFolder } from "../corpora/cache.ts";
import { Cgroup } from "../harness/cgroup.ts";
import { atEnd } from "../harness/leftovers.ts";
import { Namespace } from "../harness/namespace.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { environment, findProgram } from "../harness/program.ts";
import { fail2banClient, fail2banFiles, fail2banServer } from "./fail2ban-programs.ts";

export function missingFail2ban(): string | null {
  if (fail2banServer() === null) return "fail2ban is not installed (apt install fail2ban)";
  if (findProgram("iptables") === null) return "iptables is not installed (apt install iptables)";
  return Namespace.missing();
}

/** The whole of fail2ban with its own iptables action: its client orders the bans, until the last address has a rule. */
export async function fail2banIptables(bans: number): Promise<Figures> {
  const space = Namespace.open();
  const group = Cgroup.open();
  mkdirSync(workFolder, { recursive: true });
  const folder = mkdtempSync(join(workFolder, "fail2ban-"));
  const remove = atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, "socket");
  const wrap = (command: readonly string[]): [string, string[]] => {
    const [file = "", ...args] = space.wrap(command);
    return [file, args];
  };
  const output = join(folder, "output");
  const server = start(folder, socket, (command) =>
    group === null ? space.wrap(command) : group.wrap(space.wrap(command)),
  );
  try {
    await until("has started", 20_000, () => /Jail 'bench' started/.test(readFileSync(output, "utf8")));
    const addresses = Array.from({ length: bans }, (_, i) => `10.0.${(i + 1) >> 8}.${(i + 1) & 255}`);
    const cpu = group?.cpuMs() ?? 0;
    const before = performance.now();
    const told = spawnSync(
      ...wrap([...fail2banClient(), "-s", socket, "set", "bench", "banip", ...addresses]),
      {
        env: environment(),
      },
    );
    if (told.status !== 0)
      throw new WrongResult(`fail2ban-client failed: ${told.stderr.toString().slice(-500)}`);
    const rules = () =>
      spawnSync(...wrap(["iptables", "-S", "f2b-bench"]), { encoding: "utf8" }).stdout.match(/ -s 10\./g)
        ?.length ?? 0;
    await until("has banned all", 120_000, () => rules() >= bans);
    const tookMs = performance.now() - before;
    verify("fail2ban", "rules", rules(), bans);
    const cpuMs = group === null ? null : group.cpuMs() - cpu;
    return { perSecond: (bans / tookMs) * 1000, cpuUs: cpuMs === null ? null : (cpuMs * 1000) / bans };
  } finally {
    spawnSync(...wrap([...fail2banClient(), "-s", socket, "stop"]), { timeout: 60_000 });
    server.kill("SIGKILL");
    group?.close();
    remove();
    space.close();
  }
}

function start(folder: string, socket: string, wrap: (command: readonly string[]) => readonly string[]) {
  for (const name of ["action.d", "filter.d"]) symlinkSync(join(fail2banFiles(), name), join(folder, name));
  writeFileSync(join(folder, "watched.log"), "");
  writeFileSync(
    join(folder, "fail2ban.conf"),
    `[Definition]\nloglevel = INFO\nlogtarget = STDOUT\nsyslogsocket = auto\nsocket = ${socket}\npidfile = ${folder}/pid\ndbfile = ${folder}/db.sqlite3\ndbpurgeage = 1d\n`,
  );
  writeFileSync(
    join(folder, "jail.conf"),
    `[bench]\nenabled = true\nbackend = polling\nfilter = sshd\nlogpath = ${folder}/watched.log\nmaxretry = 3\nfindtime = 10m\nbantime = 1h\nusedns = no\naction = iptables-multiport[name=bench, port=ssh, protocol=tcp]\n`,
  );
  const output = openSync(join(folder, "output"), "a");
  const [file = "", ...args] = wrap([
    ...(fail2banServer() ?? []),
    "-c",
    folder,
    "-s",
    socket,
    "-p",
    join(folder, "pid"),
    "-f",
    "start",
  ]);
  const child = spawn(file, args, { stdio: ["ignore", output, output], env: environment() });
  closeSync(output);
  return child;
}

async function until(what: string, deadlineMs: number, isSo: () => boolean): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > end)
      throw new WrongResult(`fail2ban: it took over ${deadlineMs / 1000} s until it ${what}`);
    await sleep(50);
  }
}
