import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Namespace } from "../harness/namespace.ts";
import { bansFile, type DaemonRival, type Duty } from "./daemon.ts";
import { fail2banClient, fail2banFiles, fail2banServer } from "./fail2ban-programs.ts";

const TABLE = "f2bbench";

/** Debian's whole fail2ban with its own filter where it has one, and one nft for each ban, as in its nftables action. */
export const fail2banNft: DaemonRival = {
  missing,
  note: "the whole server, its log at INFO, its database on disk, one 'nft add element' for each ban",
  table: TABLE,
  prepare: (folder, log, duty) => prepare(folder, log, duty, nftAction),
  isReady: (output) => /Jail 'bench' started/.test(output),
  counted,
};

/** The same with the cheapest possible action: its cost without nft. */
export const fail2banAppend: DaemonRival = {
  ...fail2banNft,
  note: "the whole server; its action only appends the address to a file, without the kernel",
  table: null,
  prepare: (folder, log, duty) => prepare(folder, log, duty, appendAction),
};

function missing(): string | null {
  if (fail2banServer() === null) return "Debian's fail2ban is not installed (apt install fail2ban)";
  return Namespace.missing();
}

function prepare(
  folder: string,
  log: string,
  duty: Duty,
  action: (folder: string) => string,
): readonly string[] {
  const config = join(folder, "fail2ban");
  for (const name of ["filter.d", "action.d"]) mkdirSync(join(config, name), { recursive: true });
  const stock = join(fail2banFiles(), "filter.d");
  for (const name of readdirSync(stock)) symlinkSync(join(stock, name), join(config, "filter.d", name));
  writeFileSync(join(config, "filter.d/bench-kernel.conf"), KERNEL_FILTER);
  writeFileSync(join(config, "action.d/bench.conf"), action(folder));
  writeFileSync(
    join(config, "fail2ban.conf"),
    `[Definition]
loglevel = INFO
logtarget = STDOUT
syslogsocket = auto
socket = ${socketOf(folder)}
pidfile = ${join(folder, "fail2ban.pid")}
dbfile = ${join(folder, "fail2ban.sqlite3")}
dbpurgeage = 1d
allowipv6 = yes
`,
  );
  writeFileSync(
    join(config, "jail.conf"),
    `[bench]
enabled = true
backend = auto
filter = ${FILTERS[duty.service] ?? duty.service}
logpath = ${log}
maxretry = ${duty.maxretry}
findtime = 10m
bantime = 1h
usedns = no
action = bench
`,
  );
  return [
    ...(fail2banServer() ?? []),
    "-c",
    config,
    "-s",
    socketOf(folder),
    "-p",
    join(folder, "fail2ban.pid"),
    "-f",
    "start",
  ];
}

const FILTERS: Readonly<Record<string, string>> = { kernel: "bench-kernel" };

/** A pattern that a user with a Raspberry Pi wrote against SYN floods, with fail2ban's own tag for the address. */
const KERNEL_FILTER = String.raw`[Definition]
failregex = kernel:.*?SRC=<HOST> DST.*?SYN
`;

function nftAction(): string {
  const set = (name: string, type: string): string =>
    `add set inet ${TABLE} ${name} { type ${type}; flags timeout; }`;
  const start = [`add table inet ${TABLE}`, set("addr-inet4", "ipv4_addr"), set("addr-inet6", "ipv6_addr")];
  return `[Definition]
actionstart = ${start.map((line) => `nft '${line}'`).join("\n              ")}
actionstop = nft delete table inet ${TABLE}
actioncheck =
actionban = nft 'add element inet ${TABLE} addr-<family> { <ip> }'
actionunban = nft 'delete element inet ${TABLE} addr-<family> { <ip> }'
`;
}

function appendAction(folder: string): string {
  return `[Definition]
actionstart =
actionstop =
actioncheck =
actionban = echo '<ip>' >> '${bansFile(folder)}'
actionunban =
`;
}

function socketOf(folder: string): string {
  return join(folder, "fail2ban.sock");
}

async function counted(folder: string): Promise<number | null> {
  try {
    const [file, ...args] = [...fail2banClient(), "-s", socketOf(folder), "status", "bench"];
    const { stdout } = await promisify(execFile)(file, args, { timeout: 10_000 });
    return Number(/Total failed:\s+(\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
