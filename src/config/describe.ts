import { formatDuration } from "../core/duration.ts";
import { FOREVER } from "../core/time.ts";
import type { PortRange, TargetSpec } from "../enforce/enforcer.ts";
import type { Config, JailConfig } from "./config.ts";

/** What a configuration comes to, a line for each jail and target. */
export function describeConfig(config: Config): readonly string[] {
  const used = new Set(config.jails.map((jail) => jail.target));
  return [
    ...config.jails.map(describeJail),
    ...config.targets.filter((target) => used.has(target.name)).map(describeTarget),
  ];
}

/** `jail sshd: sources auth, syslog; 5 failures in 10m → 1h at default`. */
export function describeJail(jail: JailConfig): string {
  const sources = `${jail.sources.length === 1 ? "source" : "sources"} ${jail.sources.join(", ")}`;
  const filter = jail.filter.name === jail.name ? "" : `; filter ${jail.filter.name}`;
  const failures =
    jail.maxretry === 1 ? "1 failure" : `${jail.maxretry} failures in ${formatDuration(jail.findtime)}`;
  const ban = jail.bantime === FOREVER ? "for ever" : formatDuration(jail.bantime);
  return `jail ${jail.name}: ${sources}${filter}; ${failures} → ${ban} at ${jail.target}`;
}

/** `target slow: nftables, throttle 10 packets per 1m, ports 22, 80-90 (tcp)`. */
export function describeTarget({ name, enforcer, verdict, ports, protocols }: TargetSpec): string {
  const action =
    verdict.kind === "throttle"
      ? `throttle ${verdict.packets} packets per ${formatDuration(verdict.per)}`
      : verdict.kind;
  const of = protocols.length === 0 ? "" : ` (${protocols.join(", ")})`;
  const where = ports.length === 0 ? "" : `, ports ${ports.map(describePorts).join(", ")}${of}`;
  return `target ${name}: ${enforcer}, ${action}${where}`;
}

function describePorts({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}
