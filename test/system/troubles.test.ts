import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("a daemon of which some parts cannot work", fault), () => {
  const here = useNamespace("troubles");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  afterEach(async () => {
    await daemon?.end();
    home.remove();
  });

  it("says so in the log, in the status and by its exit status, as long as they cannot", async () => {
    const taken = createServer();
    await here.inside(() => new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve)));
    const { port } = taken.address() as AddressInfo;
    execFileSync("mkfifo", [home.file("fifo")]);
    mkdirSync(home.file("folder"));
    for (let i = 0; i < 3; i++) writeFileSync(home.file(`many-${i}`), "");
    const filter = "filter: { failregex: ['^bad <HOST>$'] }";
    home.configure(`
sources:
  fifo: { type: file, path: HOME/fifo }
  folder: { type: file, path: HOME/folder }
  missing: { type: file, path: HOME/missing }
  none: { type: file, path: "HOME/none-*" }
  good: { type: file, path: "HOME/many-*" }
  program: { type: command, command: [sh, -c, "cat HOME/number && exec sleep 100"] }
jails: { all: { sources: [fifo, folder, missing, none, good, program], ${filter} } }
api: { listen: "127.0.0.1:${port}", tokens: { a: { sha256: "${"0".repeat(64)}" } } }
state: false
`);
    daemon = await RunningDaemon.start(home, here, { args: ["--dry-run"] });
    const running = daemon;
    const expected = [
      `Cannot read all of source fifo: cannot follow ${home.path}/fifo: it is a FIFO`,
      `Cannot read all of source folder: cannot follow ${home.path}/folder: it is a directory`,
      `Cannot read all of source missing: ${home.path}/missing does not exist`,
      "Cannot read all of source none: no file matches",
      "Source program failed, retrying: Cannot read from sh: ",
      `Cannot listen on 127.0.0.1:${port}: the address is in use`,
    ];
    const isSaid = (sentence: string): boolean =>
      running.log.includes(sentence) && running.status().troubles.some((one) => one.startsWith(sentence));
    await until(
      "every trouble is in the log and in the status",
      () => expected.every(isSaid),
      () => running.log,
    );
    const shown = running.command("status");
    expect([shown.status, running.status().state]).toEqual([1, "degraded"]);
    const first = shown.output.split("\n").slice(1, 1 + expected.length);
    for (const sentence of expected) expect(first.join("\n")).toContain(sentence);
    expect(running.status().warnings.slice(0, expected.length)).toEqual(running.status().troubles);

    for (const name of ["fifo", "folder"]) rmSync(home.file(name), { recursive: true });
    for (const name of ["fifo", "folder", "missing", "none-1"]) writeFileSync(home.file(name), "");
    writeFileSync(home.file("number"), "a line\n");
    await new Promise((resolve) => void taken.close(resolve));
    await until(
      "everything works",
      () => running.command("status").status === 0,
      () => running.command("status").output,
    );
    const parts = ["fifo", "folder", "missing", "none", "program"].map((name) => `source ${name}`);
    await until(
      "the end of each trouble is in the log",
      () => [...parts, "the API"].every((part) => isOver(running.log, part)),
      () => running.log,
    );
    expect(running.status().state).toBe("healthy");
  });
});

/** The supervision of a source says so itself. */
function isOver(log: string, part: string): boolean {
  return new RegExp(`The trouble with ${part} is over|${part} works again`, "i").test(log);
}
