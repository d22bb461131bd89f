import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";

export interface CommandOptions extends SourceOptions {
  readonly type: "command";
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
}

/** The output of a program. */
export const command: SourceKind<CommandOptions> = {
  name: "command",
  summary: "The output of a program, which is restarted when it ends.",
  description: "A program's output.",
  gives: "lines",
  takes: ["orders", "max_line", "timezone"],
  options: sourceKeys(
    (v) => ({
      command: v.command().meta({
        description: "The program and its arguments. No shell is involved.",
        examples: [["tail", "-F", "/var/log/x.log"]],
      }),
    }),
    (values): CommandOptions => ({ type: "command", command: values.command }),
  ),
  needs: ({ command: [program] }) =>
    program === undefined ? {} : { programs: [{ program, package: null }] },
  open: async (name, options) => new (await import("./command-source.ts")).CommandSource(name, options),
};
