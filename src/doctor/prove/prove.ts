import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { BanAnswer, UnbanAnswer } from "../../api/wire.ts";
import type { TargetConfig } from "../../config/config.ts";
import { type Ends, type Link, linkTo } from "./link.ts";
import { type Plan, planFor } from "./plan.ts";
import { type Attempts, Prober } from "./prober.ts";

/** What packets showed of the bans at one target. */
export interface Proof {
  readonly target: string;
  /** Null for a target that packets prove nothing about. */
  readonly family: Ends["family"] | null;
  /** `passed`: a packet passed although its sender was banned. `unknown`: nothing could be shown. */
  readonly outcome: "stopped" | "throttled" | "passed" | "unknown";
  /** Why it passed or is not known, as a phrase; null otherwise. */
  readonly why: string | null;
  /** Connections that were made, of those tried: before the ban, while it held, and after the unban. Null where none was tried. */
  readonly connections: {
    readonly tried: number;
    readonly before: number;
    readonly banned: number;
    readonly after: number;
  } | null;
}

/** Orders to the running daemon. */
export interface Orders {
  ban(address: string, target: string): Promise<BanAnswer>;
  unban(address: string): Promise<UnbanAnswer>;
}

/**
 * Proves the targets one after the other with real packets: from a network namespace of its own, connections to this machine before a ban of
 * its address, while the ban holds, and after the unban. Cleans up when `signal` aborts too; then the proofs so far come back.
 */
export async function* prove(
  targets: readonly TargetConfig[],
  orders: Orders,
  signal: AbortSignal,
): AsyncGenerator<Proof> {
  const plans = targets.map(planFor);
  for (const plan of plans) if (plan.kind === "none") yield unknown(plan.target, null, plan.why);
  const provable = plans.filter((plan) => plan.kind === "packets");
  if (provable.length === 0) return;
  const prober = await Prober.start();
  const abort = (): void => prober.end();
  signal.addEventListener("abort", abort);
  let link: Link | null = null;
  try {
    link = await linkTo(prober);
    for (const plan of provable)
      for (const ends of link.ends) {
        if (signal.aborted) return;
        yield await proveOne(prober, plan, ends, orders);
      }
  } finally {
    await link?.remove();
    signal.removeEventListener("abort", abort);
    prober.end();
  }
}

type PacketPlan = Plan & { readonly kind: "packets" };

async function proveOne(prober: Prober, plan: PacketPlan, ends: Ends, orders: Orders): Promise<Proof> {
  const { target, tries } = plan;
  const server = await listenAt(ends.here, plan.port ?? 0);
  try {
    const port = server === null ? (plan.port ?? 0) : portOf(server);
    const before = await firstContact(prober, ends, port, tries);
    if (before.connected < tries)
      return unknown(
        target,
        ends.family,
        `port ${port} of this machine does not answer before the ban: ${said(before)}`,
      );
    const [answer] = (await orders.ban(ends.there, target)).results;
    try {
      if (answer === undefined || answer.outcome === "refused")
        return unknown(target, ends.family, answer?.detail ?? "the daemon did not answer");
      const banned = await whileBanned(prober, ends, port, plan);
      await orders.unban(ends.there);
      const after = await prober.connect(ends.here, port, tries, PATIENCE);
      const connections = {
        tried: tries,
        before: before.connected,
        banned: banned.connected,
        after: after.connected,
      };
      const outcome = outcomeOf(banned, tries, plan);
      const why = outcome === "passed" ? (answer.trouble ?? "no rule stopped its packets") : null;
      return { target, family: ends.family, outcome, why, connections };
    } finally {
      await orders.unban(ends.there);
    }
  } finally {
    server?.close();
  }
}

/**
 * The last packets of the connections before the ban can use up what a throttle lets through. So a throttle that lets nothing through is tried
 * again: it lets more through with time.
 */
async function whileBanned(
  prober: Prober,
  { here }: Ends,
  port: number,
  { tries }: PacketPlan,
): Promise<Attempts> {
  let attempts = await prober.connect(here, port, tries, PATIENCE);
  for (let contact = 1; tries > THROTTLED && contact < CONTACTS && attempts.connected === 0; contact++)
    attempts = await prober.connect(here, port, tries, PATIENCE);
  return attempts;
}

function outcomeOf(banned: Attempts, tries: number, { tries: planned }: PacketPlan): Proof["outcome"] {
  if (banned.connected === 0) return "stopped";
  return planned > THROTTLED && banned.connected < tries ? "throttled" : "passed";
}

/** Null when a service has the port: then it answers. */
async function listenAt(host: string, port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host, port, backlog: 511 });
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The link needs a moment until it is up. */
async function firstContact(prober: Prober, { here }: Ends, port: number, tries: number): Promise<Attempts> {
  let attempts: Attempts = { connected: 0, refused: 0, silent: tries };
  for (let attempt = 0; attempt < CONTACTS && attempts.connected < tries; attempt++)
    attempts = await prober.connect(here, port, tries, PATIENCE);
  return attempts;
}

/** In ms: on a link of this machine an answer takes less than one. A lost SYN is sent again after a second. */
const PATIENCE = 1500;
const CONTACTS = 5;
/** More tries than that are for a throttle. */
const THROTTLED = 3;

function unknown(target: string, family: Ends["family"] | null, why: string): Proof {
  return { target, family, outcome: "unknown", why, connections: null };
}

function said({ connected, refused, silent }: Attempts): string {
  return `${connected} connections, ${refused} refused, ${silent} without an answer`;
}
