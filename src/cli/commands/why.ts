import type { Command } from "commander";
import type { WhyReply } from "../../api/wire.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { type Cli, parseAddresses } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { leftWords } from "./list.ts";
import { decodeLine, printable, printableLine } from "../../core/printable.ts";
import type { Style } from "../output/terminal.ts";
import { counted } from "../../core/wording.ts";

interface WhyOptions {
  readonly socket?: string;
  readonly json?: true;
}

export function defineWhy(program: Command, cli: Cli): void {
  program
    .command("why")
    .description("why an address is banned, with the lines that led to it, or why it is not (exit status 1)")
    .argument("<address>", "an address or a network")
    .option("--json", "one JSON document")
    .action(
      cli.act(async (address: string, _: WhyOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<WhyOptions>();
        const asked = parseAddresses([address]).map(formatPrefix).join();
        const path = `/v1/why?address=${encodeURIComponent(asked)}`;
        const reply = await ask<WhyReply>(cli.socketPath(options), { method: "GET", path });
        if (options.json) await cli.json({ ...reply, lines: reply.lines.map(decodeLine) });
        else await cli.out.lines(whyLines(reply, cli.style, Date.now()));
        return reply.banned ? DONE : NEGATIVE;
      }),
    );
}

export function* whyLines(reply: WhyReply, style: Style, now: number): Generator<string> {
  yield style.bold(printable(reply.summary));
  for (const ban of reply.bans) {
    const by = ban.jail === "" ? "" : ` by ${printable(ban.jail)}`;
    const left = ban.until === null ? "permanent" : `${leftWords(ban, now)} left`;
    const origin = ` (${printable(ban.origin)})`;
    yield `  ${printable(ban.address)} at ${printable(ban.target)}${by}${origin}: ${printable(ban.reason)}; since ${printable(ban.since)}, ${left}`;
    if (ban.trouble !== null) yield style.red(`    not enforced: ${printable(ban.trouble)}`);
  }
  for (const { jail, seen, needed, ignored } of reply.jails) {
    const standing = ignored === null ? `counted ${seen} of ${needed}` : `ignored, ${ignored}`;
    yield `  ${printable(jail)}: ${standing}`;
  }
  for (const { name, verdict } of reply.lists) {
    const fate = { drop: "dropped", reject: "rejected", count: "only counted" }[verdict];
    yield `  on list ${printable(name)}: its packets are ${fate}`;
  }
  if (reply.lines.length === 0) return;
  yield style.dim(`${counted(reply.lines.length, "line")}, oldest first:`);
  for (const line of reply.lines) yield `  ${printableLine(line)}`;
}
