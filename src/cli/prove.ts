import type { BanAnswer, StatusReply, UnbanAnswer } from "../api/wire.ts";
import type { TargetConfig } from "../config/config.ts";
import { StoplogError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import type { Orders, Proof } from "../doctor/prove/prove.ts";
import type { Cli } from "./cli.ts";
import { COULD_NOT, DONE, type ExitStatus, NEGATIVE } from "./output/io.ts";
import type { Style } from "./output/terminal.ts";

export interface ProveOptions {
  readonly socket: string;
  /** The running daemon: it bans the address. */
  readonly daemon: Pick<StatusReply, "dryRun">;
  readonly targets: readonly TargetConfig[];
  readonly json: boolean;
}

/** `stoplog doctor --prove`. Resolves to the exit status: 1 when a packet passed although its sender was banned. */
export async function proveAll(
  cli: Cli,
  { socket, daemon, targets, json }: ProveOptions,
): Promise<ExitStatus> {
  if (process.geteuid?.() !== 0)
    throw new StoplogError(
      "Cannot prove the targets: only root can make a network namespace (run it with sudo)",
    );
  if (daemon.dryRun) throw new StoplogError("Cannot prove the targets: the daemon runs with --dry-run");
  const { prove } = await import("../doctor/prove/prove.ts");
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const proofs: Proof[] = [];
  try {
    for await (const proof of prove(targets, await ordersTo(socket), interrupted.signal)) {
      proofs.push(proof);
      if (!json) await cli.out.lines(proofLines(proof, cli.style));
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
  if (json) await cli.json({ proofs });
  if (interrupted.signal.aborted)
    throw new StoplogError("Interrupted: the address is unbanned, the namespace is gone");
  if (proofs.some(({ outcome }) => outcome === "passed")) return NEGATIVE;
  return proofs.some(({ outcome, family }) => outcome === "unknown" && family !== null) ? COULD_NOT : DONE;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The ban ends by itself should this process be killed. */
const AT_MOST = "1m";

async function ordersTo(socket: string): Promise<Orders> {
  const { ask } = await import("./control.ts");
  return {
    ban: (address, target) =>
      ask<BanAnswer>(socket, {
        method: "POST",
        path: "/v1/ban",
        body: { addresses: [address], duration: AT_MOST, target },
      }),
    unban: (address) =>
      ask<UnbanAnswer>(socket, { method: "POST", path: "/v1/unban", body: { addresses: [address] } }),
  };
}

function* proofLines({ target, family, outcome, why, connections }: Proof, style: Style): Generator<string> {
  const name = printable(family === null ? target : `${target}, ${family}`);
  const reason = why === null ? "" : `: ${printable(why)}`;
  if (connections === null) {
    yield `${style.yellow("not proven:")} ${name}${reason}`;
    return;
  }
  const { tried, before, banned, after } = connections;
  const figures = `connections: ${before} of ${tried} before the ban, ${banned} while banned, ${after} after the unban`;
  const paint = outcome === "passed" ? style.red : style.green;
  yield `${paint(`${outcome}:`)} ${name}${reason}; ${figures}`;
}
