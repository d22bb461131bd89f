import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";

export interface StdinOptions extends SourceOptions {
  readonly type: "stdin";
}

/** Standard input. */
export const stdin: SourceKind<StdinOptions> = {
  name: "stdin",
  summary: "Standard input, until it ends.",
  description: "Standard input.",
  gives: "lines",
  takes: ["orders", "max_line", "timezone"],
  options: sourceKeys(
    () => ({}),
    (): StdinOptions => ({ type: "stdin" }),
  ),
  needs: () => ({}),
  open: async (name, options) => new (await import("./stdin-source.ts")).StdinSource(name, options),
};
