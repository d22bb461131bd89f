import { formatDuration } from "../core/duration.ts";
import { PROTOCOLS } from "../core/packet.ts";
import { FOREVER } from "../core/time.ts";
import { describePorts } from "../enforce/packet-match.ts";
import { formatFlags } from "../match/packet/flags.ts";
import type { Step } from "../jail/options.ts";
import type { Config, JailConfig } from "./config.ts";
import { describeTarget } from "./targets.ts";

/** Describes a configuration: a line for each jail, and for each enforcer of a target that a jail uses. */
export function describeConfig(config: Config): readonly string[] {
  const used = new Set(config.jails.flatMap((jail) => jail.steps.map(({ target }) => target)));
  return [
    ...config.jails.map(describeJail),
    ...config.targets
      .filter((target) => used.has(target.name))
      .flatMap(({ enforcers, resetConnections }) =>
        enforcers.map(
          (spec) => `${describeTarget(spec)}${resetConnections ? "; closes open connections" : ""}`,
        ),
      ),
  ];
}

/** `jail sshd: sources auth, syslog; 5 failures in 10m → 1h at default`. */
export function describeJail(jail: JailConfig): string {
  const sources =
    jail.offload !== undefined
      ? "the kernel counts"
      : `${jail.sources.length === 1 ? "source" : "sources"} ${jail.sources.join(", ")}`;
  const filter = jail.filter === null || jail.filter.name === jail.name ? "" : `; filter ${jail.filter.name}`;
  // Good lines alone: nothing is counted.
  if (jail.filter !== null && jail.filter.failregex.length === 0)
    return `jail ${jail.name}: ${sources}${filter}; ${describeGood(jail)}`;
  const grow = jail.growth === null ? "" : "; bans grow";
  return `jail ${jail.name}: ${sources}${filter}${describeSelection(jail)}; ${jail.steps.map((step) => describeStep(step, jail)).join(", ")}${grow}`;
}

/** `good lines reset the count, end bans and keep the address from bans for 1h`. */
function describeGood({ onGood, trustFor }: JailConfig): string {
  const trust =
    trustFor === null || trustFor === 0 ? [] : [`keep the address from bans for ${formatDuration(trustFor)}`];
  const does = ["reset the count", ...(onGood === "unban" ? ["end bans"] : []), ...trust];
  return `good lines ${does.length === 1 ? does.join("") : `${does.slice(0, -1).join(", ")} and ${does.at(-1)}`}`;
}

/** `; packets tcp, ports 22, flags syn,!ack`. */
function describeSelection({ packets, offload }: JailConfig): string {
  if (packets === undefined) return "";
  const { protocols = [], ports = [], flags, prefix, interfaces = [] } = packets;
  const asked = [
    ...(offload?.opening === true ? ["that open connections"] : []),
    ...protocols.map((number) => PROTOCOL_NAMES.get(number) ?? `protocol ${number}`),
    ...(ports.length === 0 ? [] : [`ports ${ports.map(describePorts).join(", ")}`]),
    ...(flags === undefined ? [] : [`flags ${formatFlags(flags)}`]),
    ...(prefix === undefined ? [] : [`prefix ${JSON.stringify(prefix)}`]),
    ...(interfaces.length === 0 ? [] : [`on ${interfaces.join(", ")}`]),
  ];
  return `; ${asked.length === 0 ? "all packets" : `packets ${asked.join(", ")}`}`;
}

const PROTOCOL_NAMES = new Map<number, string>(
  Object.entries(PROTOCOLS).map(([name, number]) => [number, name]),
);

function describeStep({ maxretry, times, bantime, target }: Step, { findtime, offload }: JailConfig): string {
  const most = offload?.connlimit ?? null;
  const counted = maxretry === 1 ? "1 failure" : `${maxretry} failures in ${formatDuration(findtime)}`;
  const failures = most === null ? counted : `more than ${most} connections`;
  const before = times === 1 ? "" : ` after ${times - 1} bans`;
  return `${failures}${before} → ${bantime === FOREVER ? "permanent" : formatDuration(bantime)} at ${target}`;
}
