import { formatDuration } from "../core/duration.ts";
import { isPacketTarget } from "../enforce/nftables/kind.ts";
import type { Step } from "../jail/options.ts";
import { LONGEST_FINDTIME } from "../offload/kernel/kernel-jail.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Config, JailConfig, Offload, TargetConfig } from "./config.ts";
import type { JailParts, Known } from "./jail-parts.ts";

// The keys of a jail that the kernel counts for.

export const offloadKeys = {
  offload: v
    .word(["kernel"])
    .optional()
    .meta({
      description: "The kernel counts `packets` and bans by itself; the jail has no sources (see Packets).",
      examples: ["kernel"],
    }),
  connlimit: v
    .wholeNumber(1, 1_000_000)
    .optional()
    .meta({
      description:
        "With `offload: kernel`, instead of `maxretry`: bans an address with more concurrent connections than this.",
      examples: [50],
    }),
};

/** What a jail asks of the kernel beside its packets; null for a jail that the daemon counts for. */
export function offloadOf({ section, own, given, values }: JailParts): Offload | null {
  const { offload, connlimit } = own;
  if (offload !== "kernel") {
    section.refuseKeys(["connlimit"], "needs offload: kernel");
    return null;
  }
  for (const [key, fact] of Object.entries(NOT_IN_KERNEL)) section.refuseKeys([key], fact);
  if (values.findtime > LONGEST_FINDTIME) {
    const fact = `findtime must be ${formatDuration(LONGEST_FINDTIME)} or less where the kernel counts`;
    section.refuseValue(fact, "findtime");
  }
  if (connlimit !== undefined) section.refuseKeys(["maxretry"], "cannot be combined with connlimit");
  const isNew = given.packets?.state === "new";
  return { opening: isNew || connlimit !== undefined, connlimit: connlimit ?? null };
}

/** Checks the name, which becomes that of sets, and the target, whose rules the kernel's own bans must equal. */
export function checkOffload(name: string, steps: readonly Step[], section: Section, known: Known): void {
  if (!/^[A-Za-z]/.test(name)) section.refuse("the name must begin with a letter where the kernel counts");
  // Steps of `defaults`; the jail's own were refused above.
  if (steps.length > 1 && !section.has("steps"))
    section.refuse("the kernel cannot count by the steps in defaults");
  for (const { target } of steps) {
    const there = known.targets.get(target);
    if (there !== undefined && !isInNftables(there))
      section.refuseValue(`target ${target} must use nftables where the kernel counts`, "target");
  }
}

/** Why the kernel cannot count for a jail on packets, as phrases; none when it can. */
export function hindrancesOf(jail: JailConfig, config: Pick<Config, "targets">): readonly string[] {
  const { packets = {}, steps, growth, countWith, findtime, name } = jail;
  const selects = packets.protocols ?? packets.ports ?? packets.flags;
  return [
    ...(selects === undefined ? ["its packets name no protocol, ports or flags"] : []),
    ...(packets.prefix === undefined ? [] : ["packets.prefix"]),
    ...(steps.length === 1 ? [] : ["steps"]),
    ...(growth === null ? [] : ["increment"]),
    ...(countWith === null ? [] : ["count_with"]),
    ...(findtime > LONGEST_FINDTIME ? ["a findtime of more than a week"] : []),
    ...(/^[A-Za-z]/.test(name) ? [] : ["a name that does not begin with a letter"]),
    ...steps
      .map(({ target }) => config.targets.find((one) => one.name === target))
      .filter((target) => target !== undefined && !isInNftables(target))
      .map((target) => `target ${target?.name}, which does not use nftables`),
  ];
}

const NOT_IN_KERNEL = {
  sources: "is for jails that the daemon counts for; the kernel needs none",
  steps: "is more than the kernel can count",
  increment: "is more than the kernel can count",
  count_with: "is more than the kernel can count",
  ignorecommand: "is for jails that the daemon counts for",
  counting: "is for jails that the daemon counts for",
} as const;

function isInNftables({ enforcers }: TargetConfig): boolean {
  return enforcers.some(isPacketTarget);
}
