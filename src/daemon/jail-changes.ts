import type { JailChange } from "../api/fail2ban/host.ts";
import type { Config, JailConfig } from "../config/config.ts";
import { formatDuration } from "../core/duration.ts";
import { StoplogError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { formatPrefix, samePrefix } from "../core/prefix.ts";
import { DAY, type Duration, FOREVER, SECOND } from "../core/time.ts";

/** Changes of jails by commands; they hold until the next reload. By jail, in the form that the configuration would have given it. */
export type JailChanges = ReadonlyMap<string, ChangedJail>;

interface ChangedJail {
  readonly jail: JailConfig;
  readonly isStopped: boolean;
}

/** Adds a change of one jail. Throws a StoplogError when it is impossible. */
export function withChange(
  changes: JailChanges,
  read: Config,
  name: string,
  change: JailChange,
): JailChanges {
  const before = changes.get(name) ?? plain(read, name);
  const { isStopped = before.isStopped } = change;
  return new Map(changes).set(name, { jail: changed(before.jail, change), isStopped });
}

/** The configuration as it was read, with the changes. */
export function changedConfig(read: Config, changes: JailChanges): Config {
  if (changes.size === 0) return read;
  const jails = read.jails
    .filter(({ name }) => changes.get(name)?.isStopped !== true)
    .map((jail) => changes.get(jail.name)?.jail ?? jail);
  return { ...read, jails };
}

function plain({ jails }: Config, name: string): ChangedJail {
  const jail = jails.find((each) => each.name === name);
  if (jail === undefined) throw new StoplogError(`Cannot change the jail: there is no jail ${name}`);
  return { jail, isStopped: false };
}

function changed(jail: JailConfig, change: JailChange): JailConfig {
  const { findtime = jail.findtime, ignoreSelf = jail.ignoreSelf } = change;
  checkTime("findtime", findtime, LONGEST_FINDTIME);
  if (jail.offload !== undefined && (change.maxretry ?? change.findtime ?? change.bantime) !== undefined)
    throw new StoplogError(
      `Cannot change jail ${jail.name}: the kernel counts for it; change its configuration and reload`,
    );
  return { ...jail, findtime, ignoreSelf, ...stepsWith(jail, change), ignoreip: ignoredWith(jail, change) };
}

/** `maxretry` and `bantime` are those of the highest step; milder steps that it would overtake are left out. */
function stepsWith(jail: JailConfig, change: JailChange): Pick<JailConfig, "maxretry" | "steps"> {
  const { maxretry = jail.maxretry, bantime } = change;
  if (maxretry < 1 || maxretry > MOST_RETRIES)
    throw new StoplogError(
      `Cannot set maxretry of ${jail.name}: ${maxretry} is not between 1 and ${MOST_RETRIES}`,
    );
  if (bantime !== undefined && bantime !== FOREVER) checkTime("bantime", bantime, LONGEST_BAN);
  const steps = jail.steps.flatMap((step) => {
    const isHighest = step.maxretry === jail.maxretry;
    if (!isHighest) return step.maxretry < maxretry ? [step] : [];
    return [{ ...step, maxretry, bantime: step.times === 1 ? (bantime ?? step.bantime) : step.bantime }];
  });
  return { maxretry, steps };
}

function checkTime(what: string, duration: Duration, longest: Duration): void {
  if (duration >= SECOND && duration <= longest) return;
  throw new StoplogError(
    `Cannot set ${what}: ${formatDuration(duration)} is not between 1s and ${formatDuration(longest)}`,
  );
}

function ignoredWith(jail: JailConfig, { ignore = [], unignore }: JailChange): JailConfig["ignoreip"] {
  const added = ignore.filter((prefix) => !jail.ignoreip.some((known) => samePrefix(known, prefix)));
  if (jail.ignoreip.length + added.length > LIMITS.jailIgnored.value)
    throw new StoplogError(
      `Cannot add to ignoreip of ${jail.name}: it would have more than ${LIMITS.jailIgnored.value} entries`,
    );
  const all = [...jail.ignoreip, ...added];
  if (unignore === undefined) return all;
  const rest = all.filter((prefix) => !samePrefix(prefix, unignore));
  if (rest.length < all.length) return rest;
  throw new StoplogError(
    `Cannot remove ${formatPrefix(unignore)} from ignoreip of ${jail.name}: it is not an entry of this jail's own list`,
  );
}

/** As in the configuration: src/config/steps.ts. */
const MOST_RETRIES = 65_535;
const LONGEST_FINDTIME: Duration = 365.25 * DAY;
const LONGEST_BAN: Duration = 100 * LONGEST_FINDTIME;
