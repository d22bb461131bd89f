import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { StoplogError } from "../../core/errors.ts";
import type { Cli } from "../cli.ts";
import type { DemoEvent } from "../../demo/director.ts";
import { MOST_ATTACKERS, MOST_SECONDS, type Plan } from "../../demo/plan.ts";
import { DONE, type ExitStatus, type Io } from "../output/io.ts";

interface DemoOptions {
  readonly seconds: number;
  readonly attackers: number;
  readonly json?: true;
}

export function defineDemo(program: Command, cli: Cli): void {
  program
    .command("demo")
    .description("a real flood against a real firewall, in its own network namespaces")
    .option(
      "--seconds <number>",
      `length of each half, without and with Stoplog, up to ${MOST_SECONDS}`,
      within(MOST_SECONDS),
      10,
    )
    .option(
      "--attackers <number>",
      `attacking addresses, up to ${MOST_ATTACKERS}`,
      within(MOST_ATTACKERS),
      200,
    )
    .option("--json", "print one JSON document at the end")
    .action(cli.act((options: DemoOptions) => demo(options, cli)));
  program
    .command("demo-part", { hidden: true })
    .argument("<order>")
    .action(
      cli.act(async (order: string) => {
        const { runPart } = await import("../../demo/part.ts");
        await runPart(order, cli.io);
        return DONE;
      }),
    );
}

async function demo({ seconds, attackers, json }: DemoOptions, cli: Cli): Promise<ExitStatus> {
  checkSurroundings(cli.io);
  const { plan: makePlan } = await import("../../demo/plan.ts");
  const { direct } = await import("../../demo/director.ts");
  const plan = makePlan(seconds, attackers, existsSync("/proc/sys/net/ipv6"));
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // Handled until the demo has cleaned up: a second Ctrl-C must not leave anything behind.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const events = direct(plan, interrupted.signal);
    await (json === true ? printJson(events, cli) : show(events, plan, cli));
    return DONE;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function printJson(events: AsyncIterable<DemoEvent>, cli: Cli): Promise<void> {
  for await (const event of events) {
    if (event.kind === "end") await cli.json({ phases: event.phases, summary: event.summary });
  }
}

async function show(events: AsyncIterable<DemoEvent>, plan: Plan, cli: Cli): Promise<void> {
  const { heading, introduction, phaseTitle, row, summaryLines } = await import("../../demo/rows.ts");
  const { style, out } = cli;
  const look = { bars: cli.io.isTTY, style };
  await out.lines(introduction(plan));
  for await (const event of events) {
    switch (event.kind) {
      case "phase": {
        const title = phaseTitle(event.stoplog ? event.startedInMs : null);
        await out.lines(["", style.bold(title), heading(style)]);
        break;
      }
      case "second":
        await out.lines([row(event.second, plan, look)]);
        break;
      case "end":
        await out.lines(["", ...summaryLines(event.summary, style)]);
        break;
    }
  }
  await out.lines(["", "The demo has removed its namespaces, processes and files."]);
}

function checkSurroundings(io: Io): void {
  if (process.geteuid?.() !== 0) {
    throw new StoplogError("Cannot run the demo: it needs root to create network namespaces");
  }
  const folders = (io.env["PATH"] ?? "").split(":");
  if (!folders.some((folder) => existsSync(join(folder, "ip")))) {
    throw new StoplogError("Cannot run the demo: it needs the program ip (Debian: apt install iproute2)");
  }
}

function within(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}`);
  };
}
