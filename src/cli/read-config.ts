import { serialize } from "node:v8";
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { DONE } from "./io.ts";

/**
 * `stoplog read-config [FILE]`: what the daemon starts to have a configuration read and compiled, so that it never loads
 * what that takes. The answer goes to standard output as V8 serializes it (daemon/read-apart.ts).
 */
export function defineReadConfig(program: Command, cli: Cli): void {
  program.command("read-config [file]", { hidden: true }).action(
    cli.act(async (file: string | undefined) => {
      const { readWhole } = await import("../config/reading.ts");
      cli.io.stdout.write(serialize(readWhole(file ?? null)));
      return DONE;
    }),
  );
}
