import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { BanReply, StatusReply } from "../api/wire.ts";
import { formatDuration } from "../core/duration.ts";
import { StoplogError } from "../core/errors.ts";
import { parseBanSet } from "../enforce/ruleset/names.ts";
import { ask } from "../cli/control.ts";
import { BANTIME, MAXRETRY } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { thisProgram } from "./this-program.ts";

/** The real daemon on the stage: `stoplog run` with its own configuration. */
export class Guard {
  readonly #stage: Stage;
  readonly #child: ChildProcess;
  readonly #socket: string;

  private constructor(stage: Stage, logPath: string) {
    this.#stage = stage;
    this.#socket = stage.file("control.sock");
    const config = stage.file("stoplog.yaml");
    writeFileSync(config, configuration(logPath, stage.file("state")));
    this.#child = stage.spawn("server", thisProgram("run", "-c", config, "--socket", this.#socket));
    this.#child.stdout?.resume();
  }

  /** Starts it; resolves when it watches, rejects with the daemon's own sentence when it cannot. */
  static async start(stage: Stage, logPath: string): Promise<Guard> {
    const guard = new Guard(stage, logPath);
    await guard.#watches();
    return guard;
  }

  /** Active bans. */
  async bans(): Promise<readonly BanReply[]> {
    return ask(this.#socket, { method: "GET", path: "/v1/bans" });
  }

  async banCount(): Promise<number> {
    const status = await ask<StatusReply>(this.#socket, { method: "GET", path: "/v1/status" });
    return status.book.bans;
  }

  /** CPU time since its start, in ms: proc_pid_stat(5), fields 14 and 15, in ticks of USER_HZ. */
  cpuTime(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / USER_HZ;
  }

  /** Peak resident memory, in bytes: proc_pid_status(5). */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Bans in the kernel, counted by nft, an independent witness; null when it is not installed. */
  async kernelCount(): Promise<KernelCount | null> {
    const listing = await this.#stage
      .run("server", ["nft", "-j", "list", "table", "inet", "stoplog"])
      .catch(() => null);
    return listing === null ? null : countElements(listing);
  }

  #watches(): Promise<void> {
    let said = "";
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(trouble(said, "did not start in time")), PATIENCE);
      this.#child.stderr?.on("data", (chunk: Buffer) => {
        if (said.length < 64 * 1024) said += chunk.toString();
        if (!said.includes(" watches (process ")) return;
        clearTimeout(timer);
        resolve();
      });
      this.#child.on("close", () => {
        clearTimeout(timer);
        reject(trouble(said, "ended"));
      });
    });
  }
}

export interface KernelCount {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** Counts the elements of the ban sets in the output of `nft -j list table`. */
export function countElements(listing: string): KernelCount {
  const { nftables } = JSON.parse(listing) as { readonly nftables: readonly NftObject[] };
  const count = { ipv4: 0, ipv6: 0 };
  for (const { set } of nftables) {
    const bans = set === undefined ? null : parseBanSet(set.name);
    if (bans === null) continue;
    count[bans.family === "v4" ? "ipv4" : "ipv6"] += set?.elem?.length ?? 0;
  }
  return count;
}

interface NftObject {
  readonly set?: { readonly name: string; readonly elem?: readonly unknown[] };
}

/** The kernel's tick for user space: 100 on every architecture of Node. */
const USER_HZ = 100;
const PATIENCE = 20_000;

function configuration(logPath: string, state: string): string {
  const bantime = formatDuration(BANTIME);
  return [
    "sources:",
    `  auth: { type: file, path: ${JSON.stringify(logPath)} }`,
    "jails:",
    `  sshd: { sources: auth, filter: sshd, maxretry: ${MAXRETRY}, findtime: 10m, bantime: ${bantime} }`,
    `state: ${JSON.stringify(state)}`,
    "",
  ].join("\n");
}

function trouble(said: string, what: string): StoplogError {
  const last = said.trim().split("\n").at(-1) ?? "";
  return new StoplogError(`Cannot run the demo: the daemon ${what}${last === "" ? "" : `: ${last}`}`);
}
