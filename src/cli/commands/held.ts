import type { Command } from "commander";
import type { HeldAnswer, HeldReply, HeldRequest } from "../../api/wire.ts";
import { StoplogError } from "../../core/errors.ts";
import { counted } from "../../core/wording.ts";
import type { Cli } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { jsonText, printable } from "../../core/printable.ts";
import { table } from "../output/terminal.ts";

interface HeldOptions {
  readonly socket?: string;
  readonly json?: true;
  readonly origin?: string;
  readonly release?: true;
  readonly drop?: true;
}

export function defineHeld(program: Command, cli: Cli): void {
  program
    .command("held")
    .description("orders and lists that wait for a decision: wide networks, sudden masses and changes")
    .option("--origin <name>", "only of this origin, or the list of this name")
    .option("--release", "carry them out")
    .option("--drop", "drop them")
    .option("--json", "one JSON document: {origin, order, address, reason, fact, since}[]")
    .action(
      cli.act(async (_: HeldOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<HeldOptions>();
        const socket = cli.socketPath(options);
        const request = requestOf(options);
        if (request !== null) {
          const answer = await ask<HeldAnswer>(socket, { method: "POST", path: "/v1/held", body: request });
          await cli.out.lines(options.json ? [jsonText(answer, 0)] : [wordsOf(request, answer)]);
          return answer.refused > 0 ? NEGATIVE : DONE;
        }
        const query = options.origin === undefined ? "" : `?origin=${encodeURIComponent(options.origin)}`;
        const held = await ask<readonly HeldReply[]>(socket, { method: "GET", path: `/v1/held${query}` });
        await cli.out.lines(options.json ? [jsonText(held, 0)] : heldLines(held, cli));
        return DONE;
      }),
    );
}

function requestOf({ release, drop, origin }: HeldOptions): HeldRequest | null {
  if (release && drop) throw new StoplogError("Cannot do both: give --release or --drop");
  if (!release && !drop) return null;
  return { act: release ? "release" : "drop", ...(origin === undefined ? {} : { origin }) };
}

function wordsOf({ act }: HeldRequest, { done, refused }: HeldAnswer): string {
  const what = `${act === "release" ? "Carried out" : "Dropped"} ${counted(done, "order")}`;
  return refused === 0 ? what : `${what}; ${refused} were refused`;
}

function heldLines(held: readonly HeldReply[], { style }: Cli): Iterable<string> {
  if (held.length === 0) return ["Nothing is held"];
  const columns = ["SINCE", "ORIGIN", "ORDER", "ADDRESS", "HELD BECAUSE", "REASON"];
  return table(
    columns.map((heading) => ({ heading })),
    held.map((one) =>
      [one.since || "-", one.origin, one.order, one.address || "-", one.fact, one.reason || "-"].map(
        printable,
      ),
    ),
    style,
  );
}
