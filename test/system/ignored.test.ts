import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("addresses that are never banned", fault), () => {
  const here = useNamespace("ignored");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  afterEach(async () => {
    await daemon?.end();
    home.remove();
  });

  it("are those of a file, which may change, and those for which a program exits with 0", async () => {
    writeFileSync(home.file("log"), "");
    writeFileSync(home.file("allowed"), "198.51.100.1 # the office\noffice\n");
    const friend = `test "$1" = 198.51.100.2 || { test "$1" = 198.51.100.4 && exec sleep 100; exit 1; }`;
    home.configure(`
sources: { log: { type: file, path: HOME/log, encoding: latin-1 } }
jails:
  door:
    sources: log
    filter: { failregex: ['^Échec de <HOST>$'] }
    maxretry: 2
    counting: scaled
    ignorecommand: [sh, -c, '${friend.replaceAll("'", "''")}', sh, "{address}"]
ignoreip: ["file:HOME/allowed", nowhere.invalid]
state: false
`);
    const running = (daemon = await RunningDaemon.start(home, here, { args: ["--dry-run"] }));
    const fail = (last: number): void =>
      appendFileSync(home.file("log"), Buffer.from(`Échec de 198.51.100.${last}\n`.repeat(2), "latin1"));
    const banned = (): string => running.banned().toSorted().join(" ");
    for (const last of [1, 2, 3, 4]) fail(last);
    await until(
      "addresses of strangers are banned, also while the program hangs",
      () => banned() === "198.51.100.3 198.51.100.4",
      () => `${banned()}\n${running.log}`,
    );
    const status = running.status();
    expect(status.ignorecommand).toMatchObject({ found: 1 });
    expect(status.ignoreip).toMatchObject({ addresses: 1, bad: 1, failed: 1 });
    expect(status.troubles.join("\n")).toContain("Cannot resolve nowhere.invalid for ignoreip: ");
    expect(status.warnings.join("\n")).toContain(
      `'office' is not an address or a network: not used (${home.path}/allowed:2)`,
    );

    writeFileSync(home.file("allowed"), "198.51.100.3\n");
    await until(
      "the ban of an address ends that is in the file now",
      () => banned() === "198.51.100.4",
      () => running.log,
    );
    rmSync(home.file("allowed"));
    fail(3);
    fail(1);
    await until(
      "what the file said last stays while it is missing",
      () => banned() === "198.51.100.1 198.51.100.4",
      () => `${banned()}\n${running.log}`,
    );
  });
});
