import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Phase } from "../../src/demo/second.ts";
import type { Summary } from "../../src/demo/summary.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("stoplog demo", fault), () => {
  let folder: string;
  let demo: ChildProcess;
  let out = "";
  let err = "";
  let ended: number | NodeJS.Signals | null = null;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-demo-test-"));
    [out, err, ended] = ["", "", null];
  });
  afterEach(() => {
    if (ended === null) demo.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** As a user runs it, but with its own folder for temporary files. */
  const start = (...args: readonly string[]): void => {
    demo = spawn(join(packageRoot(), "bin/stoplog"), ["demo", ...args], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    demo.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    demo.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    demo.on("close", (code, signal) => (ended = code ?? signal));
  };

  /** Namespaces, files and processes. bin/stoplog execs the program, so the demo has the child's process number. */
  const leftovers = (): readonly string[] => [
    ...namespaces().filter((name) => name.startsWith(`stoplog-demo-${demo.pid}-`)),
    ...readdirSync(folder),
    ...processesWith(`TMPDIR=${folder}`),
  ];

  it("shows a flood that ends when Stoplog starts, serves every user, and leaves nothing behind", async () => {
    start("--seconds", "3", "--attackers", "50", "--json");
    await new Promise((resolve) => demo.once("close", resolve));
    expect([ended, err]).toEqual([0, ""]);
    expect(leftovers()).toEqual([]);
    const { phases, summary } = JSON.parse(out) as { phases: readonly [Phase, Phase]; summary: Summary };
    const [without, guarded] = phases;
    expect(phases.map(({ stoplog, seconds }) => [stoplog, seconds.length])).toEqual([
      [false, 3],
      [true, 3],
    ]);
    for (const { tried, through, unanswered, failed } of [...without.seconds, ...guarded.seconds]) {
      expect(through + unanswered + failed).toBe(tried);
    }
    expect(summary.without.through).toBeGreaterThan(0.9 * summary.without.tried);
    expect(guarded.seconds.at(-1)!.through).toBeLessThan(0.05 * without.seconds.at(-1)!.through);
    expect(summary.with.served).toBeGreaterThanOrEqual(0.95 * summary.with.users);
    expect(summary.banned).toBe(50);
    expect(summary.firstBanMs).toBeGreaterThan(0);
    expect(summary.kernel).toEqual(hasProgram("nft") ? { ipv4: 40, ipv6: 10 } : null);
  });

  it.each([
    ["SIGINT", "without Stoplog", /^ {2}1 s .* - +-$/m],
    ["SIGTERM", "with Stoplog", /^ {2}1 s .* %$/m],
  ] as const)("leaves nothing behind after %s in the phase %s", async (signal, _phase, reached) => {
    start("--seconds", "2", "--attackers", "50");
    await until(
      "that phase has begun",
      () => reached.test(out) || ended !== null,
      () => out + err,
    );
    demo.kill(signal);
    await until(
      "the demo ends",
      () => ended !== null,
      () => out + err,
    );
    expect(ended).toBe(2);
    expect(err).toBe("Cannot finish the demo: interrupted; it has cleaned up\n");
    expect(leftovers()).toEqual([]);
  });

  it("leaves nothing behind even when it is killed", async () => {
    start("--seconds", "2", "--attackers", "50");
    await until(
      "the daemon is at work",
      () => /^ {2}1 s .* %$/m.test(out),
      () => out + err,
    );
    demo.kill("SIGKILL");
    await until(
      "everything is gone",
      () => leftovers().length === 0,
      () => leftovers().join(" "),
    );
    expect(ended).toBe("SIGKILL");
  });

  it("reports in one line that it needs the program ip", async () => {
    demo = spawn(process.execPath, [join(packageRoot(), "dist/stoplog.mjs"), "demo"], {
      env: { PATH: folder },
    });
    demo.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
    demo.on("close", (code) => (ended = code));
    await until("it ends", () => ended !== null);
    expect([ended, err]).toEqual([
      2,
      "Cannot run the demo: it needs the program ip (Debian: apt install iproute2)\n",
    ]);
  });
});

function namespaces(): readonly string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return []; // no namespace was made yet
  }
}

/** Processes that were started with this in their environment. */
function processesWith(variable: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable);
    } catch {
      return false; // ended meanwhile
    }
  });
}
