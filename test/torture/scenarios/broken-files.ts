import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expectKernelIsBook, expectPackets, inKernel } from "../invariants.ts";
import { loginJail } from "../login-jail.ts";
import type { Random } from "../random.ts";
import { Breach, type Opened, type Scenario } from "../scenario.ts";
import { Site } from "../site.ts";

/** A state file that is damaged, missing or not a file, while the kernel holds bans. */
export const brokenFiles: Scenario = {
  name: "broken-files",
  what: "kill the daemon, damage its state, start it: no ban leaves the kernel at any moment, the damage is said, and the book has the kernel's bans",
  open: async (): Promise<Opened> => {
    const site = await Site.open(loginJail(3));
    return {
      round: async (random) => {
        const path = site.home.file(`state/${random.pick(FILES)}`);
        const damage = random.pick(DAMAGES);
        const secret = site.home.file("secret");
        writeFileSync(secret, SECRET, { mode: 0o640 });
        writeFileSync(site.home.file("auth.log"), "");
        const addresses = Array.from({ length: 200 }, (_, i) => `10.${random.below(250)}.7.${i + 1}`);
        site.launch();
        await site.started();
        await site.command("ban", ...addresses, "--for", "1h");
        await sleep(random.below(1500));
        await site.end("SIGKILL");
        rmSync(path, { recursive: true, force: true });
        const before = inKernel(site);
        if (before.size !== addresses.length)
          throw new Breach(`the kernel holds ${before.size} of ${addresses.length} bans after SIGKILL`);
        damage.apply(path, random, secret);
        site.launch();
        await watchStart(site, before);
        if (readFileSync(secret, "utf8") !== SECRET || (statSync(secret).mode & 0o777) !== 0o640)
          throw new Breach("a file outside the state directory was written");
        if (site.isRunning) {
          await expectKernelIsBook(site);
          const banned = [random.pick(addresses), random.pick(addresses)];
          await expectPackets(site, { banned, free: ["10.251.0.1"] });
          await site.end("SIGTERM");
          expectHeld(site, before, "after the stop");
        }
        return `${damage.name}: ${path.slice(path.lastIndexOf("/") + 1)}; ${site.log.includes("watches") ? "runs" : "refuses"}`;
      },
      close: () => site.close(),
    };
  },
};

/** Until the daemon has started or ended, the kernel holds at least what it held before. */
async function watchStart(site: Site, before: ReadonlySet<string>): Promise<void> {
  const end = performance.now() + 60_000;
  while (site.isRunning && (site.status()?.state ?? "starting") === "starting") {
    expectHeld(site, before, "during the start");
    if (performance.now() > end) throw new Breach(`the start does not end: ${site.log.slice(-500)}`);
    await sleep(20);
  }
  expectHeld(site, before, "after the start");
}

function expectHeld(site: Site, before: ReadonlySet<string>, when: string): void {
  const now = inKernel(site);
  const gone = [...before].filter((address) => !now.has(address));
  if (gone.length > 0) throw new Breach(`${gone.length} of ${before.size} bans left the kernel ${when}`);
}

interface Damage {
  readonly name: string;
  /** `path` exists no more; `secret` is a file that must not be touched. */
  readonly apply: (path: string, random: Random, secret: string) => void;
}

const DAMAGES: readonly Damage[] = [
  { name: "removed", apply: () => undefined },
  { name: "empty", apply: (path) => writeFileSync(path, "") },
  {
    name: "NUL bytes",
    apply: (path, random) => writeFileSync(path, Buffer.alloc(1 + random.below(100_000))),
  },
  {
    name: "random bytes",
    apply: (path, random) =>
      writeFileSync(
        path,
        Buffer.from(Array.from({ length: 1 + random.below(5000) }, () => random.below(256))),
      ),
  },
  {
    name: "half a line",
    apply: (path) => {
      writeFileSync(path, '{"version":1,"ban":"10.0.0.1","target":"def');
      truncateSync(path, 20);
    },
  },
  { name: "a directory", apply: (path) => mkdirSync(path) },
  { name: "a FIFO", apply: (path) => execFileSync("mkfifo", [path]) },
  { name: "a link to itself", apply: (path) => symlinkSync(path, path) },
  { name: "a link to /dev/zero", apply: (path) => symlinkSync("/dev/zero", path) },
  { name: "a link to a file elsewhere", apply: (path, _, secret) => symlinkSync(secret, path) },
  {
    name: "a directory that cannot be written",
    apply: (path) => {
      mkdirSync(path);
      chmodSync(path, 0o500);
      if (!lstatSync(path).isDirectory()) throw new Error("there is no directory");
    },
  },
];

const FILES = ["bans.jsonl", "bans.jsonl.new", "progress", "progress.new"];
const SECRET = "not yours\n";
