import type { Command } from "commander";
import type { OrdersAnswer } from "../../api/wire.ts";
import { StoplogError } from "../../core/errors.ts";
import type { OrderKind } from "../../core/order.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { counted } from "../../core/wording.ts";
import { type Cli, parseAddresses } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { jsonText, printable } from "../../core/printable.ts";

interface OrderOptions {
  readonly socket?: string;
  readonly json?: true;
  readonly for?: string;
  readonly target?: string;
  readonly reason?: string;
  readonly id?: string;
  readonly origin?: string;
}

export function defineOrder(program: Command, cli: Cli): void {
  program
    .command("order")
    .description("send orders from a script: ban, unban, allow or unallow, as an origin")
    .argument(
      "<order>",
      "ban, unban, allow, unallow (takes an allow back), or - to read NDJSON orders from standard input",
    )
    .argument("[address...]", "addresses or networks")
    .option("--for <duration>", "how long (default: the origin's bantime)")
    .option("--target <name>", "the target that enforces the ban (default: the origin's)")
    .option("--reason <text>", "a phrase that `list` and `why` show")
    .option("--id <text>", "an id: the same order again does nothing")
    .option("--origin <name>", "the origin, whose rules apply (default: the operator)")
    .option("--json", "one JSON document: {done, nothing, held, refused, unreadable, sentences}")
    .action(
      cli.act(async (kind: string, addresses: string[], _: OrderOptions, command: Command) => {
        const { askWithText } = await import("../control.ts");
        const options = command.optsWithGlobals<OrderOptions>();
        const text = kind === "-" ? await readAll(cli) : orderLines(asKind(kind), addresses, options);
        const origin = options.origin === undefined ? "" : `?origin=${encodeURIComponent(options.origin)}`;
        const answer = await askWithText<OrdersAnswer>(cli.socketPath(options), `/v1/orders${origin}`, text);
        await cli.out.lines(options.json ? [jsonText(answer, 0)] : wordsOf(answer));
        return answer.refused + answer.unreadable + answer.held > 0 ? NEGATIVE : DONE;
      }),
    );
}

function asKind(word: string): OrderKind {
  if (word === "ban" || word === "unban" || word === "allow" || word === "unallow") return word;
  throw new StoplogError(`Cannot order ${word}: it must be ban, unban, allow, unallow or -`);
}

function orderLines(order: OrderKind, addresses: readonly string[], options: OrderOptions): string {
  if (addresses.length === 0) throw new StoplogError(`Cannot ${order}: give addresses`);
  const { for: duration, target, reason, id } = options;
  return parseAddresses(addresses)
    .map((prefix) => JSON.stringify({ order, address: formatPrefix(prefix), duration, target, reason, id }))
    .join("\n");
}

async function readAll({ io }: Cli): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString("utf8");
}

function wordsOf({ done, nothing, held, refused, unreadable, sentences }: OrdersAnswer): readonly string[] {
  const parts = [
    `${counted(done, "order")} carried out`,
    ...(nothing > 0 ? [`${nothing} with nothing to do`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ];
  return [...sentences.map(printable), parts.join(", ")];
}
