// What happens to a daemon in the course of years, one by one.

import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LogDaemon, RSYSLOG } from "../support/log-daemon.ts";
import { until } from "../support/waiting.ts";
import type { LogWriter } from "./log-writer.ts";
import type { Random } from "./random.ts";
import type { Site } from "./site.ts";

/** What an episode may use. */
export interface Stage {
  readonly site: Site;
  readonly writer: LogWriter;
  readonly random: Random;
  readonly maxretry: number;
  /** The folder of the daemon's state, a file system of its own. */
  readonly state: string;
  /** Sets the daemon's time of day, in seconds beside the true one; null when it has the true one. */
  readonly shiftClock: ((seconds: number) => void) | null;
  /** Addresses of which this soak has not seen a line. */
  readonly fresh: (count: number) => readonly string[];
}

export interface Episode {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  /** The daemon's process ends in it. */
  readonly endsProcess?: true;
  /** Why it cannot be played; null when it can. */
  readonly fault?: (stage: Pick<Stage, "shiftClock">) => string | null;
  /** Resolves to the addresses that failed often enough beside those of the writer. */
  readonly during: (stage: Stage) => Promise<readonly string[] | void>;
}

export const EPISODES: readonly Episode[] = [
  { name: "flood", weight: 6, during: ({ random }) => sleep(5000 + random.below(15_000)) },
  { name: "quiet", weight: 2, during: () => sleep(10_000) },
  {
    name: "rotations",
    weight: 3,
    during: async ({ writer, random }) => {
      for (let times = 1 + random.below(4); times > 0; times--) {
        await sleep(random.below(2000));
        writer.rotate();
      }
    },
  },
  {
    name: "reloads",
    weight: 3,
    during: async ({ site, random }) => {
      for (let times = 1 + random.below(4); times > 0; times--) {
        site.signal("SIGHUP");
        await sleep(500 + random.below(1500));
      }
    },
  },
  {
    name: "flushed firewall",
    weight: 2,
    during: async ({ site }) => {
      site.server.run("nft", "flush", "ruleset");
      await sleep(2500);
    },
  },
  {
    name: "full disk",
    weight: 1,
    during: async ({ state, random }) => {
      await sleep(random.below(2000));
      const filler = `${state}/other`;
      try {
        writeFileSync(filler, Buffer.alloc(STATE_BYTES));
      } catch {
        // The disk is full, as it ought to be.
      }
      await sleep(3000 + random.below(5000));
      rmSync(filler, { force: true });
    },
  },
  {
    name: "clock jumps",
    weight: 1,
    fault: ({ shiftClock }) => (shiftClock === null ? "needs Debian's package faketime" : null),
    during: async ({ shiftClock, random }) => {
      for (const seconds of [random.pick(SHIFTS_S), random.pick(SHIFTS_S), 0]) {
        shiftClock?.(seconds);
        await sleep(3000);
      }
    },
  },
  { name: "log daemon restarts", weight: 1, fault: () => RSYSLOG.fault, during: restartLogDaemon },
  {
    name: "restart",
    weight: 1,
    endsProcess: true,
    during: async ({ site, random }) => {
      await sleep(random.below(3000));
      await site.end("SIGTERM");
      await sleep(random.below(1000));
      site.launch();
      await site.started();
    },
  },
  {
    name: "kill",
    weight: 1,
    endsProcess: true,
    during: async ({ site, random }) => {
      await sleep(random.below(8000));
      await site.end("SIGKILL");
      site.launch();
      await site.started();
    },
  },
];

/** Of the file system that holds the state. */
export const STATE_BYTES = 64 << 20;

/** A real rsyslog sends failures to Stoplog's socket, and is started again in the middle. */
async function restartLogDaemon({ site, fresh, maxretry }: Stage): Promise<readonly string[]> {
  const guilty = fresh(10);
  const rsyslog = new LogDaemon(RSYSLOG, site.home, site.server);
  try {
    await rsyslog.start();
    for (const [index, address] of guilty.entries()) {
      await rsyslog.fail(address, maxretry);
      if (index % 4 !== 3) continue;
      await arrived(rsyslog, (index + 1) * maxretry);
      await rsyslog.stop();
      await rsyslog.start();
    }
    await arrived(rsyslog, guilty.length * maxretry);
  } finally {
    await rsyslog.stop();
    rmSync(site.home.file("all.log"), { force: true });
  }
  return guilty;
}

function arrived(rsyslog: LogDaemon, lines: number): Promise<void> {
  return until("rsyslog has its messages", () => rsyslog.written() >= lines);
}

/** Beside the true time. Two of them are less apart than findtime and bantime, so that no count may change. */
const SHIFTS_S = [-240, 0, 240];
