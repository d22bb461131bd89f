import { appendFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { askWithText } from "../../src/cli/control.ts";
import { LineFlow } from "../../test/support/line-flow.ts";
import { join, Namespace, namespaceFault } from "../../test/support/namespace.ts";
import { Home, RunningDaemon } from "../../test/support/running-daemon.ts";
import { until } from "../../test/support/waiting.ts";
import type { UpgradeDefinition } from "../definition.ts";
import { BanWatch } from "../harness/ban-watch.ts";
import { type Figures, WrongResult } from "../harness/outcome.ts";
import { runRounds } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import type { Workload } from "./workload.ts";

/** A daemon with many bans is replaced by another while lines, datagrams and packets of a banned address arrive. */
export const upgrade: Workload<UpgradeDefinition> = {
  async run(definition, settings) {
    const bans = settings.quick ? definition.bans / 10 : definition.bans;
    const contestants = definition.ways.map((way) => ({
      who: way,
      missing: namespaceFault(),
      run: () => once(way, { ...definition, bans }),
    }));
    const outcomes = await runRounds(contestants, settings.rounds);
    const setting = `${bans} bans; ${definition.linesPerSecond} datagrams and ${definition.packetsPerSecond} packets of a banned address a second`;
    return { columns: COLUMNS, outcomes, setting };
  },
};

const COLUMNS = [
  { key: "readerlessMs", label: "longest wait for a ban, ms", digits: 0 },
  { key: "usualMs", label: "median wait, ms", digits: 1 },
  { key: "packetsThrough", label: "packets through", digits: 0 },
  { key: "packetsSent", label: "of", digits: 0 },
  { key: "datagramsLost", label: "datagrams lost", digits: 0 },
  { key: "datagramsSent", label: "of", digits: 0 },
  { key: "countedTwice", label: "counted twice", digits: 0 },
] as const;

const CONFIG = `
state: HOME/state
sources:
  auth: { type: file, path: HOME/auth.log }
  syslog: { type: syslog, listen: "udp:127.0.0.1:5514" }
jails:
  auth: { sources: auth, filter: { failregex: '^fail <HOST>$' }, maxretry: 1, bantime: 1h }
  syslog: { sources: syslog, filter: { failregex: 'fail <HOST>$' }, maxretry: 2, findtime: 1h, bantime: 1h }
`;

const BANNED = "198.51.100.66";
const WITNESS = `table ip witness { chain input { type filter hook input priority 300; ip saddr ${BANNED} counter; }; }\n`;
/** Before and after the replacement. */
const AROUND_MS = 1500;
const EVERY_MS = 5;

async function once(way: string, definition: UpgradeDefinition): Promise<Figures> {
  const server = Namespace.create("server");
  const attacker = Namespace.create("attacker");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  let watch: BanWatch | null = null;
  try {
    join(
      { namespace: server, addresses: ["198.51.100.1/24"] },
      { namespace: attacker, addresses: [`${BANNED}/24`] },
    );
    home.configure(CONFIG);
    writeFileSync(home.file("auth.log"), "");
    daemon = await RunningDaemon.start(home, server);
    await fill(home, definition.bans);
    daemon.command("ban", BANNED, "--for", "1h");
    server.feed(WITNESS, "nft", "-f", "-");
    const space = { wrap: (command: readonly string[]) => ["ip", "netns", "exec", server.name, ...command] };
    watch = await BanWatch.ofKernel(space, "stoplog");
    const task = { to: "udp:127.0.0.1:5514", perSecond: definition.linesPerSecond, most: 1 << 20 };
    const lines = new LineFlow(server, task);
    const packets = new LineFlow(attacker, {
      ...task,
      to: "udp:198.51.100.1:9",
      perSecond: definition.packetsPerSecond,
    });
    const failing = new Failing(home.file("auth.log"));
    await sleep(AROUND_MS);
    daemon = await replaced(way, daemon, home, server);
    await sleep(AROUND_MS);
    const [datagramsSent, packetsSent, written] = [await lines.stop(), await packets.stop(), failing.stop()];
    const last = written.at(-1)!;
    if ((await watch.untilBanned(last.address, 30_000)) === null)
      throw new WrongResult(`${way}: the last line is not banned`);
    const waits = written.map(({ address, at }) => Number((watch?.bannedAt(address) ?? at) - at) / 1e6);
    const running = daemon;
    const expected = definition.bans + 1 + written.length;
    const countedTwice = running.status().book.bans - expected;
    await new LineFlow(server, { ...task, most: datagramsSent }).end();
    await until("all lines are read", async () => {
      const before = running.status().book.bans;
      await sleep(500);
      return running.status().book.bans === before;
    });
    return {
      readerlessMs: Math.max(...waits),
      usualMs: quantile(waits, 0.5),
      packetsThrough: Number(
        /counter packets (\d+)/.exec(server.run("nft", "list", "table", "ip", "witness"))?.[1],
      ),
      packetsSent,
      datagramsLost: datagramsSent - (running.status().book.bans - expected),
      datagramsSent,
      countedTwice,
    };
  } finally {
    watch?.close();
    await daemon?.end();
    server.remove();
    attacker.remove();
    home.remove();
  }
}

async function replaced(
  way: string,
  old: RunningDaemon,
  home: Home,
  server: Namespace,
): Promise<RunningDaemon> {
  if (way === "restart") {
    await old.end();
    return RunningDaemon.start(home, server);
  }
  return RunningDaemon.start(home, server, { args: ["--takeover"] });
}

async function fill(home: Home, bans: number): Promise<void> {
  for (let from = 0; from < bans; from += BATCH) {
    const orders = Array.from({ length: Math.min(BATCH, bans - from) }, (_, i) => {
      const n = from + i;
      return `{"address":"100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}","duration":"1h"}`;
    });
    await askWithText(home.file("control.sock"), "/v1/orders", orders.join("\n"));
  }
}

const BATCH = 5000;

/** Writes a failure of a new address to a file every few milliseconds. */
class Failing {
  readonly #written: { readonly address: string; readonly at: bigint }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(path: string) {
    this.#timer = setInterval(() => {
      const n = this.#written.length;
      const address = `203.0.${(n >> 8) & 255}.${n & 255}`;
      this.#written.push({ address, at: process.hrtime.bigint() });
      appendFileSync(path, `fail ${address}\n`);
    }, EVERY_MS);
  }

  stop(): readonly { readonly address: string; readonly at: bigint }[] {
    clearInterval(this.#timer);
    return this.#written;
  }
}
