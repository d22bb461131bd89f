import { LIMITS } from "../../core/limits.ts";
import { SECOND } from "../../core/time.ts";
import { type NotifierKind, notifierKeys } from "../kind.ts";
import type { NotifierOptions } from "../options.ts";

export interface CommandOptions extends NotifierOptions {
  readonly type: "command";
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
}

/** A program of the operator's. */
export const command: NotifierKind<CommandOptions> = {
  name: "command",
  summary: "A program.",
  description: "A program of yours, run for each message.",
  options: notifierKeys(
    (v) => ({
      command: v.command().meta({
        description:
          "The program and its arguments. No shell is involved. It reads the document of `template: json` from standard input.",
        examples: [["/usr/local/bin/tell"]],
      }),
    }),
    (values): CommandOptions => ({ type: "command", each: false, command: values.command }),
  ),
  defaults: () => ({ every: 10 * SECOND, most: LIMITS.notifyListed.value }),
  open: async (options) => (await import("./notify-program.ts")).notifyProgram(options),
};
