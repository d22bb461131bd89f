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
    .description("remove bans")
    .argument("[address...]", "banned addresses or networks")
    .option("--all", "every ban")
    .option("--origin <name>", "every ban that this origin ordered")
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
            answer.lifted === 0 ? noBans(options.origin) : `Removed ${counted(answer.lifted, "ban")}`,
          ]);
          return DONE;
        }
        await cli.out.lines(answer.results.map(({ detail }) => printable(detail)));
        return answer.results.every(({ outcome }) => outcome === "lifted") ? DONE : NEGATIVE;
      }),
    );
}

function noBans(origin: string | undefined): string {
  return origin === undefined ? "No active bans" : `No active bans ordered by ${printable(origin)}`;
}

function unbanRequest(addresses: readonly string[], { all, origin }: UnbanOptions): UnbanRequest {
  if (origin !== undefined) {
    if (all || addresses.length > 0)
      throw new StoplogError("Cannot unban: give addresses, --all or --origin, but only one of them");
    return { origin };
  }
  if (all && addresses.length > 0) throw new StoplogError("Cannot unban: give addresses or --all, not both");
  if (all) return { all: true };
  if (addresses.length === 0) throw new StoplogError("Cannot unban: give addresses, or --all for every ban");
  return { addresses: parseAddresses(addresses).map(formatPrefix) };
}
