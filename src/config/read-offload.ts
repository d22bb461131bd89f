import type { Step } from "../jail/options.ts";
import { formatDuration } from "../core/duration.ts";
import { isPacketTarget } from "../enforce/nftables/kind.ts";
import { LONGEST_FINDTIME } from "../offload/kernel/kernel-jail.ts";
import type { Config, JailConfig, Offload, TargetConfig } from "./config.ts";
import { jailSchema } from "./jail-schema.ts";
import { defaultOf, entryOf } from "./read-object.ts";
import type { Known, Section } from "./section.ts";

/** What a jail asks of the kernel beside its packets; null for one that the daemon counts for. */
export function buildOffload(jail: Section, defaults: Section): Offload | null {
  const { report, what } = jail.where;
  const { offload, connlimit } = jail.written;
  if (offload !== "kernel") {
    const entry = entryOf(jail.tree, "connlimit");
    if (entry !== null) report.error(what, "connlimit goes with offload: kernel", entry.keyAt);
    return null;
  }
  for (const [key, fact] of Object.entries(NOT_IN_KERNEL)) {
    const entry = entryOf(jail.tree, key);
    if (entry !== null) report.error(what, `${key} ${fact}`, entry.keyAt);
  }
  const findtime =
    jail.written.findtime ?? defaults.written.findtime ?? defaultOf(jailSchema, "findtime") ?? 0;
  if (findtime > LONGEST_FINDTIME)
    report.error(
      what,
      `findtime must be ${formatDuration(LONGEST_FINDTIME)} or less where the kernel counts`,
      entryOf(jail.tree, "findtime")?.value.at ?? jail.where.at,
    );
  const maxretry = entryOf(jail.tree, "maxretry");
  if (connlimit !== undefined && maxretry !== null)
    report.error(what, "connlimit stands in the place of maxretry", maxretry.keyAt);
  const { state } = jail.written.packets ?? defaults.written.packets ?? {};
  return { opening: state === "new" || connlimit !== undefined, connlimit: connlimit ?? null };
}

/** A jail's name becomes that of sets, and its target must be one that the kernel's rules can stand in for. */
export function checkOffload(
  name: string,
  steps: readonly Step[],
  { tree, where }: Section,
  known: Known,
): void {
  if (!/^[A-Za-z]/.test(name))
    where.report.error(where.what, "the name must begin with a letter where the kernel counts", where.at);
  // Those of the defaults for all; its own were refused where they stand.
  if (steps.length > 1 && entryOf(tree, "steps") === null)
    where.report.error(where.what, "steps of the defaults are more than the kernel can count", where.at);
  for (const { target } of steps) {
    const there = known.targets.get(target);
    if (there === undefined || standsInNftables(there)) continue;
    const at = entryOf(tree, "target")?.value.at ?? where.at;
    where.report.error(
      where.what,
      `target ${target} is not of nftables, which it must be where the kernel counts`,
      at,
    );
  }
}

/** Why a jail on packets could not be counted by the kernel, as phrases; none when it could. */
export function hindrancesOf(jail: JailConfig, config: Pick<Config, "targets">): readonly string[] {
  const { packets = {}, steps, growth, countWith, findtime, name } = jail;
  const selects = packets.protocols ?? packets.ports ?? packets.flags;
  return [
    ...(selects === undefined ? ["its packets say no protocol, ports or flags"] : []),
    ...(packets.prefix === undefined ? [] : ["packets.prefix"]),
    ...(steps.length === 1 ? [] : ["steps"]),
    ...(growth === null ? [] : ["increment"]),
    ...(countWith === null ? [] : ["count_with"]),
    ...(findtime > LONGEST_FINDTIME ? ["a findtime of more than a week"] : []),
    ...(/^[A-Za-z]/.test(name) ? [] : ["a name that begins with no letter"]),
    ...steps
      .map(({ target }) => config.targets.find((one) => one.name === target))
      .filter((target) => target !== undefined && !standsInNftables(target))
      .map((target) => `target ${target?.name}, which is not of nftables`),
  ];
}

const NOT_IN_KERNEL = {
  sources: "is for jails that the daemon counts for; the kernel needs none",
  steps: "is more than the kernel can count",
  increment: "is more than the kernel can count",
  count_with: "is more than the kernel can count",
} as const;

function standsInNftables({ enforcers }: TargetConfig): boolean {
  return enforcers.some(isPacketTarget);
}
