import type { Duration } from "../../core/time.ts";
import type { TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";

/** Programs of the operator's. In their arguments `{address}`, `{target}`, `{until}` and `{seconds}` are filled in. */
export interface CommandTarget extends TargetSpec {
  readonly start: readonly string[] | null;
  readonly stop: readonly string[] | null;
  readonly ban: readonly string[];
  readonly unban: readonly string[];
  /** True when `ban` and `unban` run once for many addresses, which they read from standard input, one a line. */
  readonly batch: boolean;
  /** How long one run may take. */
  readonly timeout: Duration;
  /** How many run at the same time. */
  readonly parallel: number;
}

export const command: EnforcerKind<CommandTarget> = {
  name: "command",
  summary: "Programs of yours.",
  description: "Programs of yours run for each ban and its end.",
  options: targetOptions(
    (v) => ({
      ban: v.command().meta({
        description:
          "The program and its arguments, without a shell. `{address}`, `{target}`, `{until}` (seconds since 1970; 0 for a permanent ban) and `{seconds}` (left; 0 for a permanent ban) are filled in.",
        examples: [["/usr/local/sbin/block", "{address}"]],
      }),
      unban: v.command().meta({
        description: "The same to unban an address.",
        examples: [["/usr/local/sbin/unblock", "{address}"]],
      }),
      start: v
        .command()
        .optional()
        .meta({
          description: "Runs once before the first ban.",
          examples: [["/usr/local/sbin/block-setup"]],
        }),
      stop: v
        .command()
        .optional()
        .meta({
          description:
            "Runs when all bans are removed: by `--flush-on-exit`, or a reload without the target.",
          examples: [["/usr/local/sbin/block-teardown"]],
        }),
      batch: v.flag().default(false).meta({
        description:
          "`true` when `ban` and `unban` read many addresses at once from standard input, one a line: address, target, until, seconds.",
      }),
      timeout: v
        .duration({ forever: false, years: 1 })
        .prefault("10s")
        .meta({ description: "Time limit of one run; then the program is killed.", examples: ["30s"] }),
      parallel: v
        .wholeNumber(1, 64)
        .default(4)
        .meta({ description: "How many run at the same time.", examples: [1] }),
    }),
    (values, { name }): CommandTarget => {
      const { ban, unban, start = null, stop = null, batch, timeout, parallel } = values;
      return { name, enforcer: command.name, ban, unban, start, stop, batch, timeout, parallel };
    },
  ),
  once: true,
  describe: ({ ban, batch }) => `${ban[0] ?? ""}${batch ? ", many at once" : ""}`,
  needs: ({ start, stop, ban, unban }) => ({
    root: true,
    programs: [start, stop, ban, unban].flatMap((words) =>
      words?.[0] === undefined ? [] : [{ program: words[0], package: null }],
    ),
  }),
  keepsOut: () => false,
  unprovable: () => "what the program does is not known",
  singles: () => true,
  open: async () => new (await import("./enforcer.ts")).CommandEnforcer(),
};
