import { execFileSync } from "node:child_process";
import { cpus, hostname, release, totalmem } from "node:os";
import { createHash } from "node:crypto";
import { fail2banServer } from "../rivals/fail2ban-programs.ts";
import { findProgram } from "./program.ts";

/** The machine and the programs that produced the figures. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMegabytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Distinguishes records of different machines without identifying them. */
  readonly id: string;
}

export function thisMachine(): Machine {
  const cpu = cpus()[0]?.model.trim() ?? "unknown";
  return {
    cpu,
    cores: cpus().length,
    memoryMegabytes: Math.round(totalmem() / 1e6),
    kernel: release(),
    node: process.version,
    versions: versionsOf(),
    id: createHash("sha256").update(`${hostname()}${cpu}`).digest("hex").slice(0, 8),
  };
}

function versionsOf(): Record<string, string> {
  const asked: readonly (readonly [name: string, ...command: string[]])[] = [
    ["grep", "grep", "--version"],
    ["ripgrep", "rg", "--version"],
    ["wc", "wc", "--version"],
    ["nft", "nft", "--version"],
    ["fail2ban", ...(fail2banServer() ?? ["fail2ban-server"]), "--version"],
    ["python", "/usr/bin/python3", "--version"],
    ["sshguard", "dpkg-query", "-W", "-f=${Version}", "sshguard"],
  ];
  return Object.fromEntries(asked.map(([name, file = "", ...args]) => [name, firstLine(file, args)]));
}

function firstLine(file: string, args: readonly string[]): string {
  if (findProgram(file) === null) return "not installed";
  try {
    const output = execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return output.split("\n")[0]?.trim() ?? "";
  } catch {
    return "not installed";
  }
}
