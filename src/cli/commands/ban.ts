import type { Command } from "commander";
import type { BanAnswer, BanRequest } from "../../api/wire.ts";
import { parseDuration } from "../../core/duration.ts";
import { StoplogError } from "../../core/errors.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { type Cli, parseAddresses } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";

interface BanOptions {
  readonly socket?: string;
  readonly for?: string;
  readonly jail?: string;
  readonly target?: string;
  readonly force?: true;
}

export function defineBan(program: Command, cli: Cli): void {
  program
    .command("ban")
    .description("ban addresses or networks, IPv4 or IPv6")
    .argument("<address...>", "addresses or networks, such as 192.0.2.7 or 2001:db8::/48")
    .option(
      "--for <duration>",
      "how long: 90 (seconds), 10m, 1d12h, -1 for permanent (default: the jail's bantime, else 1h)",
    )
    .option("--jail <name>", "ban for this jail, with its target and bantime")
    .option("--target <name>", "the target that enforces the ban")
    .option("--force", "also ban an address from which a user is logged in")
    .action(
      cli.act(async (addresses: string[], _: BanOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<BanOptions>();
        const question = { method: "POST", path: "/v1/ban", body: banRequest(addresses, options) } as const;
        const { results } = await ask<BanAnswer>(cli.socketPath(options), question);
        const { red } = cli.style;
        await cli.out.lines(
          results.map((result) =>
            isDone(result) ? printable(result.detail) : red(printable(result.detail)),
          ),
        );
        return results.every(isDone) ? DONE : NEGATIVE;
      }),
    );
}

/** A ban that is in the book and not enforced is not done. */
function isDone({ outcome, trouble = null }: BanAnswer["results"][number]): boolean {
  return outcome !== "refused" && trouble === null;
}

function banRequest(addresses: readonly string[], options: BanOptions): BanRequest {
  const { for: duration, jail, target, force } = options;
  if (duration !== undefined && parseDuration(duration) === null) {
    throw new StoplogError(
      `Cannot read the duration: '${duration}' is not a duration (90, 10m, 1d12h, or -1 for permanent)`,
    );
  }
  return {
    addresses: parseAddresses(addresses).map(formatPrefix),
    ...(duration === undefined ? {} : { duration }),
    ...(jail === undefined ? {} : { jail }),
    ...(target === undefined ? {} : { target }),
    ...(force === undefined ? {} : { force }),
  };
}
