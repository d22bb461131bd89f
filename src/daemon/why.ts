import type { WhyReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import type { Address } from "../core/address.ts";
import { formatPrefix, hostPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { formatInstant, type Instant } from "../core/time.ts";
import type { Standing } from "../enforce/reconcile.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { RunningJail } from "./pipeline.ts";
import { listedBan } from "../api/ban-reply.ts";

export interface WhyParts {
  readonly book: Book;
  readonly jails: readonly RunningJail[];
  readonly evidence: Evidence;
  readonly standing: (ban: Ban) => Standing;
  /** The lists that an address is on. */
  readonly lists?: (address: Address) => WhyReply["lists"];
}

/** Why an address is banned or not; null when the text is not an address. */
export function explainAddress(
  text: string,
  { book, jails, evidence, standing, lists = () => [] }: WhyParts,
  now: Instant,
): WhyReply | null {
  const prefix = parsePrefix(text);
  if (prefix === null) return null;
  const bans = bansOn(prefix, book, now);
  const listed = bans.map((ban) => listedBan(ban, standing(ban)));
  const on = lists(prefix.address);
  const views = jails.map(({ jail }) => ({
    jail: jail.options.name,
    seen: jail.seen(prefix.address, now),
    needed: jail.options.maxretry,
    ignored: jail.ignoring(prefix.address, now),
  }));
  return {
    address: formatPrefix(prefix),
    banned: bans.length > 0,
    summary: bans[0] === undefined ? whyNot(formatPrefix(prefix), views, on) : whyBanned(bans[0], listed),
    bans: listed,
    jails: views,
    lists: on,
    lines: linesAbout(prefix, bans, jails, evidence),
  };
}

/** Bans of exactly this prefix, else the ban of a network around it. */
function bansOn(prefix: Prefix, book: Book, now: Instant): readonly Ban[] {
  const own = book.of(prefix).filter((ban) => ban.until > now);
  if (own.length > 0) return own;
  const around = book.standing(prefix.address, now);
  return around !== null && around.prefix.length <= prefix.length ? [around] : [];
}

function whyBanned(ban: Ban, listed: WhyReply["bans"]): string {
  const by = ban.jail === "" ? ban.origin : ban.jail;
  const until = formatInstant(ban.until);
  const end = until === null ? "permanently" : `until ${until}`;
  const trouble = listed.find((one) => one.trouble !== null)?.trouble ?? null;
  const but = trouble === null ? "" : `, but the ban is not enforced: ${trouble}`;
  return `${formatPrefix(ban.prefix)} is banned at ${ban.target} by ${by} ${end}: ${ban.reason}${but}`;
}

function whyNot(address: string, views: WhyReply["jails"], lists: WhyReply["lists"]): string {
  const stopping = lists.find(({ verdict }) => verdict !== "count");
  if (stopping !== undefined)
    return `${address} is not banned, but blocked: it is on the list ${stopping.name}`;
  const ignored = views.find((view) => view.ignored !== null);
  if (ignored !== undefined) return `${address} is not banned: ${IGNORED[ignored.ignored ?? "trusted"]}`;
  const counted = views
    .filter((view) => view.seen > 0)
    .map((view) => `${view.jail} counted ${view.seen} of ${view.needed}`);
  if (counted.length > 0) return `${address} is not banned: ${counted.join(", ")}`;
  return `${address} is not banned: no failures seen`;
}

const IGNORED = {
  "own address": "it is one of this machine's addresses",
  "allow-listed": "it is allow-listed",
  trusted: "it is trusted",
  "impossible address": "no packet of a client comes from it",
  "live session": "a user is logged in from it",
} as const;

function linesAbout(
  prefix: Prefix,
  bans: readonly Ban[],
  jails: readonly RunningJail[],
  evidence: Evidence,
): readonly string[] {
  const networks = [
    ...bans.map((ban) => ban.prefix),
    prefix,
    ...jails.map(({ jail }) => jail.prefixOf(prefix.address)),
    hostPrefix(prefix.address),
  ];
  for (const network of networks) {
    const lines = evidence.of(network);
    if (lines.length > 0) return lines;
  }
  return [];
}
