import { watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, until } from "../../support/waiting.ts";
import { expectBook, expectKernelIsBook, expectPackets } from "../invariants.ts";
import { loginJail } from "../login-jail.ts";
import { LogWriter } from "../log-writer.ts";
import type { Random } from "../random.ts";
import { Breach, type Opened, type Scenario } from "../scenario.ts";
import { Site } from "../site.ts";

/** SIGKILL while lines arrive: at a random moment, or in the middle of something. */
export const kills: Scenario = {
  name: "kills",
  what: "SIGKILL five times under 4,000 lines/s, in the middle of a start, a snapshot, a rotation, a reload or a stop: every line counts exactly once",
  open: async (): Promise<Opened> => {
    const site = await Site.open(loginJail(MAXRETRY));
    let first = 1;
    return {
      round: async (random) => {
        const writer = new LogWriter(site.home.file("auth.log"), first, { maxretry: MAXRETRY, random });
        site.launch();
        await site.started();
        writer.start(4000);
        const done: string[] = [];
        for (let kill = 0; kill < 5; kill++) {
          const moment = random.pick(MOMENTS);
          await moment.reach(site, writer, random);
          await site.end("SIGKILL");
          done.push(moment.name);
          if (random.below(2) === 0) await sleep(random.below(400));
          if (random.below(3) === 0) writer.rotate();
          site.launch();
          if (random.below(2) === 0) await site.started();
        }
        writer.finish();
        await site.started();
        await expectCountedOnce(site, writer);
        await expectKernelIsBook(site);
        await expectPackets(site, {
          banned: [random.pick(writer.guilty), random.pick(writer.guilty)],
          free: [random.pick(writer.innocent)],
        });
        first += writer.guilty.length + writer.innocent.length + 1000;
        await site.command("unban", "--all");
        await site.end("SIGTERM");
        return `${writer.guilty.length} bans; killed at ${done.join(", ")}`;
      },
      close: () => site.close(),
    };
  },
};

/** The last line may still be on its way: it has a minute. Then one more look, for what is banned too much. */
async function expectCountedOnce(site: Site, writer: LogWriter): Promise<void> {
  const guilty = new Set(writer.guilty);
  try {
    await eventually(() => expectBook(site, guilty, new Set(writer.innocent)));
  } catch (error) {
    throw new Breach(`${String(error)}; ${JSON.stringify(site.status()?.sources)}`);
  }
  await sleep(300);
  expectBook(site, guilty, new Set());
}

interface Moment {
  readonly name: string;
  readonly reach: (site: Site, writer: LogWriter, random: Random) => Promise<void>;
}

const MOMENTS: readonly Moment[] = [
  { name: "any moment", reach: (_, __, random) => sleep(random.below(1500)) },
  {
    name: "start",
    reach: async (site, _, random) => {
      await site.end("SIGKILL");
      site.launch();
      await sleep(random.below(600));
    },
  },
  { name: "saving progress", reach: (site, _, random) => sawFile(site, "progress", random) },
  { name: "saving bans", reach: (site, _, random) => sawFile(site, "bans", random) },
  {
    name: "rotation",
    reach: async (_, writer, random) => {
      writer.rotate();
      await sleep(random.below(60));
      if (random.below(2) === 0) writer.rotate();
    },
  },
  {
    name: "reload",
    reach: async (site, _, random) => {
      if (!site.isRunning) site.launch();
      await site.started();
      site.signal("SIGHUP");
      await sleep(random.below(400));
    },
  },
  {
    name: "stop",
    reach: async (site, _, random) => {
      site.signal("SIGTERM");
      await sleep(random.below(30));
    },
  },
];

/** Resolves when a file of the state directory whose name begins so changes, or after some seconds without. */
async function sawFile(site: Site, beginning: string, random: Random): Promise<void> {
  await site.started();
  let seen = false;
  const watcher = watch(
    site.home.file("state"),
    (_, name) => (seen ||= name?.startsWith(beginning) === true),
  );
  const end = performance.now() + 6000;
  await until("the file changes, or six seconds have passed", () => seen || performance.now() > end);
  watcher.close();
  await sleep(random.below(5));
}

const MAXRETRY = 3;
