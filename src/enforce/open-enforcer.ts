import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { StoplogError } from "../core/errors.ts";
import { nativeFault } from "../kernel/native/libc.ts";
import type { Enforcer, EnforcerKind } from "./enforcer.ts";
import { MemoryEnforcer } from "./memory.ts";
import { NftProgramEnforcer } from "./nft-program/enforcer.ts";
import { NftablesEnforcer } from "./nftables/enforcer.ts";

/**
 * The enforcer for targets of a kind, yet to be opened. Where our own messages cannot be sent, 'nftables' falls back
 * to the nft program and says so. Rejects with a StoplogError when neither can work.
 */
export async function openEnforcer(kind: EnforcerKind, say: (sentence: string) => void): Promise<Enforcer> {
  const make = ENFORCERS[kind];
  if (kind !== "nftables") return make(say);
  const fault = nativeFault();
  if (fault === null) return make(say);
  if (!hasProgram("nft")) {
    throw new StoplogError(`Cannot use nftables: ${lowerFirst(fault)}, and the nft program is not installed`);
  }
  say(`${fault}; bans go through the nft program instead, which is slower`);
  return new NftProgramEnforcer();
}

/** The one list to edit for a new kind. What few use is loaded when it is asked for. */
const ENFORCERS: Readonly<
  Record<EnforcerKind, (say: (sentence: string) => void) => Enforcer | Promise<Enforcer>>
> = {
  nftables: () => new NftablesEnforcer(),
  nft: () => new NftProgramEnforcer(),
  "dry-run": () => new MemoryEnforcer(),
  command: async () => new (await import("./command/enforcer.ts")).CommandEnforcer(),
  "hosts.deny": async () => new (await import("./hosts-deny/enforcer.ts")).HostsDenyEnforcer(),
  iptables: async () => new (await import("./iptables/enforcer.ts")).IptablesEnforcer(),
  "nft-set": async () => new (await import("./nft-set/enforcer.ts")).NftSetEnforcer(),
  ipset: async () => new (await import("./ipset/enforcer.ts")).IpsetEnforcer(),
  route: async () => new (await import("./route/enforcer.ts")).RouteEnforcer(),
  recent: async (say) => new (await import("./recent/enforcer.ts")).RecentEnforcer(say),
};

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
