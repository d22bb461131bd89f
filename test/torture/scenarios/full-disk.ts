import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expectKernelIsBook, expectPackets, inKernel } from "../invariants.ts";
import { loginJail } from "../login-jail.ts";
import { Breach, type Opened, type Scenario } from "../scenario.ts";
import { Site } from "../site.ts";

/** The disk that holds the state is full while bans are made. */
export const fullDisk: Scenario = {
  name: "full-disk",
  what: "fill the disk of the state, ban 5,000 addresses, SIGKILL, start: the kernel's bans are all there, and in the book",
  open: async (): Promise<Opened> => {
    const site = await Site.open(loginJail(1));
    const state = site.home.file("state");
    mkdirSync(state);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "stoplog-torture", state]);
    return {
      round: async (random) => {
        const log = site.home.file("auth.log");
        writeFileSync(log, "");
        site.launch();
        await site.started();
        writeFileSync(`${state}/other`, "");
        try {
          writeFileSync(`${state}/other`, Buffer.alloc((256 - random.below(60)) * 1024));
        } catch {
          // The disk is full, as it ought to be.
        }
        const addresses = Array.from({ length: 5000 }, (_, i) => `10.3.${i >> 8}.${i & 255}`);
        appendFileSync(log, addresses.map((address) => `failed login from ${address}\n`).join(""));
        for (let tries = 0; inKernel(site).size < addresses.length && tries < 100; tries++) await sleep(200);
        const before = inKernel(site);
        if (before.size < addresses.length) throw new Breach(`${before.size} of 5000 are in the kernel`);
        if (random.below(2) === 0) await sleep(2000);
        await site.end("SIGKILL");
        if (random.below(2) === 0) rmSync(`${state}/other`);
        site.launch();
        await site.started();
        const after = inKernel(site);
        const gone = [...before].filter((address) => !after.has(address));
        if (gone.length > 0) throw new Breach(`${gone.length} bans left the kernel`);
        await expectKernelIsBook(site);
        await expectPackets(site, { banned: [random.pick(addresses)], free: ["10.4.0.1"] });
        await site.end("SIGTERM");
        return "5000 bans are kept";
      },
      close: async () => {
        await site.end("SIGKILL");
        execFileSync("umount", ["-l", state]);
        await site.close();
      },
    };
  },
};
