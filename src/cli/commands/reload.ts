import type { Command } from "commander";
import type { ReloadAnswer } from "../../api/wire.ts";
import type { Cli } from "../cli.ts";
import { COULD_NOT, DONE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";

export function defineReload(program: Command, cli: Cli): void {
  program
    .command("reload")
    .description("apply the new configuration without losing anything; an invalid one changes nothing")
    .action(
      cli.act(async (_: object, command: Command) => {
        const { ask } = await import("../control.ts");
        const socketPath = cli.socketPath(command.optsWithGlobals<{ socket?: string }>());
        const question = { method: "POST", path: "/v1/reload", body: {} } as const;
        const { reloaded, sentences } = await ask<ReloadAnswer>(socketPath, question);
        const lines = sentences.map(printable);
        if (reloaded) {
          await cli.out.lines(lines.length === 0 ? ["Reloaded; nothing changed"] : lines);
          return DONE;
        }
        for (const line of lines) cli.io.stderr.write(`${line}\n`);
        cli.io.stderr.write("Cannot reload: the old configuration stays in force\n");
        return COULD_NOT;
      }),
    );
}
