import type { Command } from "commander";
import type { NotifyAnswer } from "../../api/wire.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Cli } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { jsonText, printable } from "../../core/printable.ts";

interface NotifyOptions {
  readonly socket?: string;
  readonly json?: true;
  readonly test?: true;
}

export function defineNotify(program: Command, cli: Cli): void {
  program
    .command("notify")
    .description("test a notification")
    .argument("<name>", "its name under `notify`")
    .option("--test", "send a test message now")
    .option("--json", "one JSON document: {trouble}")
    .action(
      cli.act(async (name: string, _: NotifyOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<NotifyOptions>();
        if (options.test !== true) throw new StoplogError(`Cannot notify ${name}: give --test`);
        const { trouble } = await ask<NotifyAnswer>(
          cli.socketPath(options),
          { method: "POST", path: "/v1/notify", body: { name } },
          { silence: 60_000 },
        );
        const words = trouble === null ? "The test message has arrived" : `Cannot notify ${name}: ${trouble}`;
        await cli.out.lines([options.json ? jsonText({ trouble }, 0) : printable(words)]);
        return trouble === null ? DONE : NEGATIVE;
      }),
    );
}
