import type { Command } from "commander";
import type { UnbanAnswer, UnbanRequest } from "../../api/wire.ts";
import { StoplogError } from "../../core/errors.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { type Cli, parseAddresses } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";
import { counted } from "../../core/wording.ts";

interface UnbanOptions {
  readonly socket?: string;
  readonly all?: true;
  readonly origin?: string;
}

export function defineUnban(program: Command, cli: Cli): void {
  program
    .command("unban")
    .description("end bans")
    .argument("[address...]", "addresses or networks that are banned")
    .option("--all", "every ban there is")
    .option("--origin <name>", "every ban that this origin has ordered")
    .action(
      cli.act(async (addresses: string[], _: UnbanOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<UnbanOptions>();
        const body = unbanRequest(addresses, options);
        const answer = await ask<UnbanAnswer>(cli.socketPath(options), {
          method: "POST",
          path: "/v1/unban",
          body,
        });
        if (options.all || options.origin !== undefined) {
          await cli.out.lines([
            answer.lifted === 0 ? "Nobody was banned" : `Lifted ${counted(answer.lifted, "ban")}`,
          ]);
          return DONE;
        }
        await cli.out.lines(answer.results.map(({ detail }) => printable(detail)));
        return answer.results.every(({ outcome }) => outcome === "lifted") ? DONE : NEGATIVE;
      }),
    );
}

function unbanRequest(addresses: readonly string[], { all, origin }: UnbanOptions): UnbanRequest {
  if (origin !== undefined) {
    if (all || addresses.length > 0)
      throw new StoplogError("Cannot unban: give addresses, --all or --origin, only one of them");
    return { origin };
  }
  if (all && addresses.length > 0) throw new StoplogError("Cannot unban: give addresses or --all, not both");
  if (all) return { all: true };
  if (addresses.length === 0) throw new StoplogError("Cannot unban: give addresses, or --all for every ban");
  return { addresses: parseAddresses(addresses).map(formatPrefix) };
}
