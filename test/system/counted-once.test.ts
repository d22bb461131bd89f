import { appendFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("a daemon that is killed", fault), () => {
  let home: Home;
  let namespace: Namespace;
  beforeEach(() => {
    home = new Home();
    namespace = Namespace.create("once");
    mkdirSync(home.file("state"));
    home.configure(`
sources: { a: { type: file, path: HOME/a.log, start: beginning } }
state: HOME/state
targets: { none: { enforcer: dry-run } }
jails: { j: { sources: a, target: none, maxretry: 3, findtime: 1h, bantime: 1h, filter: { failregex: ['^<SYSLOG>fail <HOST>$'] } } }
`);
  });
  afterEach(() => {
    namespace.remove();
    home.remove();
  });

  it("counts every failure once, although lines of one second are before and behind the snapshot", async () => {
    const log = home.file("a.log");
    writeFileSync(log, "");
    let daemon = await RunningDaemon.start(home, namespace);
    let addresses = 0;
    const write = (from: number, to: number): void => {
      const time = `${new Date().toISOString().slice(0, 19)}+00:00 h x: `;
      const lines = Array.from({ length: to - from }, (_, i) => `${time}fail ${addressOf(from + i)}\n`);
      appendFileSync(log, lines.join(""));
    };
    for (let kill = 0; kill < 2; kill++) {
      const saved = progressOf(home);
      // Each address fails twice, 50 lines apart. The snapshot comes between.
      for (let part = 0; part < 40 || progressOf(home) === saved; part++) {
        write(addresses, addresses + 50);
        if (addresses > 0) write(addresses - 50, addresses);
        addresses += 50;
        await sleep(10);
      }
      const dead = daemon;
      dead.signal("SIGKILL");
      await until("the daemon ends", () => dead.ended !== null);
      daemon = await RunningDaemon.start(home, namespace);
    }
    write(addresses - 50, addresses);
    await until("all is counted", () => {
      const { sources, jails } = daemon.status();
      return sources[0]?.waitingBytes === 0 && jails[0]?.addresses === addresses;
    });
    expect(daemon.banned()).toEqual([]);
    write(0, addresses);
    await until("every address is banned", () => daemon.banned().length === addresses);
    await daemon.end();
  });
});

function addressOf(n: number): string {
  return `100.64.${n >> 8}.${n & 255}`;
}

/** When the snapshot was written. */
function progressOf(home: Home): number {
  return statSync(home.file("state/progress"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
