/**
 * What travels over the control socket: HTTP with JSON bodies on a UNIX socket. The CLI and the daemon share these shapes.
 * Errors are `{ error: sentence }` with status 400 (bad request), 404 (no such jail, target or ban) or 500.
 *
 *      GET  /v1/status            StatusReply            GET  /v1/status/JAIL        StatusReply with that jail alone
 *      GET  /v1/bans              BanReply[]             POST /v1/ban                BanRequest → BanAnswer
 *      POST /v1/unban             UnbanRequest → UnbanAnswer
 *      GET  /v1/why?address=ADDR  WhyReply               POST /v1/reload             → ReloadAnswer
 *      POST /v1/orders?origin=N   NDJSON → OrdersAnswer  GET  /v1/held?origin=N      HeldReply[]
 *      POST /v1/held              HeldRequest → HeldAnswer
 *      POST /v1/notify            NotifyRequest → NotifyAnswer
 */

/** As `list --json` prints it; times in ISO 8601, `until` null for ever. */
export interface BanReply {
  readonly address: string;
  readonly jail: string;
  readonly target: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
  readonly origin: string;
}

export interface BanRequest {
  /** Addresses or networks. */
  readonly addresses: readonly string[];
  /** As in the configuration: `1h`, `-1` for ever; the jail's bantime, else 1h, when it is left out. */
  readonly duration?: string;
  readonly jail?: string;
  readonly target?: string;
}

export interface BanAnswer {
  /** One for each address, in their order. */
  readonly results: readonly {
    readonly address: string;
    readonly outcome: "banned" | "prolonged" | "unchanged" | "refused";
    /** A sentence for people. */
    readonly detail: string;
  }[];
}

export type UnbanRequest =
  | { readonly addresses: readonly string[] }
  | { readonly all: true }
  /** Takes back whatever an origin has ordered. */
  | { readonly origin: string };

export interface UnbanAnswer {
  /** How many bans were lifted. */
  readonly lifted: number;
  readonly results: readonly {
    readonly address: string;
    readonly outcome: "lifted" | "not banned" | "refused";
    readonly detail: string;
  }[];
}

/** How many orders of a batch came to what; the first few refusals as sentences. */
export interface OrdersAnswer {
  readonly done: number;
  readonly nothing: number;
  readonly held: number;
  readonly refused: number;
  readonly unreadable: number;
  readonly sentences: readonly string[];
}

/** Sends a test message to somebody under `notify`. */
export interface NotifyRequest {
  readonly name: string;
}

export interface NotifyAnswer {
  /** Null when the message arrived. */
  readonly trouble: string | null;
}

/** An order, or a whole list, that waits for somebody to look at it. */
export interface HeldReply {
  /** The origin's name, or the list's. */
  readonly origin: string;
  readonly order: "ban" | "unban" | "allow" | "list";
  /** Empty for a list. */
  readonly address: string;
  readonly reason: string;
  /** Why it is held. */
  readonly fact: string;
  readonly since: string;
}

/** Carries held orders out, or forgets them, and takes held lists into use: of one origin or list, or of all. */
export interface HeldRequest {
  readonly act: "release" | "drop";
  readonly origin?: string;
}

export interface HeldAnswer {
  readonly done: number;
  /** Those that the origin's rules refused. */
  readonly refused: number;
}

export interface WhyReply {
  readonly address: string;
  readonly banned: boolean;
  /** One sentence: 'Banned at default by sshd until …: 5 failures in 10m', or why not. */
  readonly summary: string;
  readonly bans: readonly BanReply[];
  /** For each jail, what it holds against the address. */
  readonly jails: readonly {
    readonly jail: string;
    readonly seen: number;
    readonly needed: number;
    readonly ignored: "allow-listed" | "own address" | "trusted" | null;
  }[];
  /** The lists it is on, and what becomes of its packets for it. */
  readonly lists: readonly { readonly name: string; readonly verdict: "drop" | "reject" | "count" }[];
  /** The lines that counted, oldest first, as far as they are still kept. */
  readonly lines: readonly string[];
}

export interface ReloadAnswer {
  readonly reloaded: boolean;
  /** What changed, or every error with its place. */
  readonly sentences: readonly string[];
}

export interface StatusReply {
  readonly version: string;
  readonly pid: number;
  readonly since: string;
  readonly config: string | null;
  readonly dryRun: boolean;
  readonly memoryBytes: number;
  readonly enforcers: readonly {
    readonly kind: string;
    readonly state: string;
    readonly applied: number;
    readonly refused: number;
    readonly resyncs: number;
    /** The last refusal or failure as a sentence, or null. */
    readonly lastTrouble: string | null;
  }[];
  /** Live connections of what was banned; null when none are to be cut. */
  readonly connections: {
    readonly state: string;
    /** How often the kernel's lists were gone through. */
    readonly passes: number;
    /** Conntrack entries and sockets that were cut, and those that the kernel did not let go of. */
    readonly entries: number;
    readonly sockets: number;
    readonly refused: number;
    /** Prefixes that wait, and those whose connections were not cut. */
    readonly waiting: number;
    readonly dropped: number;
    readonly lastTrouble: string | null;
  } | null;
  readonly book: {
    readonly bans: number;
    readonly capacity: number;
    readonly evicted: number;
    readonly refused: number;
  };
  readonly sources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: string;
    readonly bytes: number;
    readonly bytesPerSecond: number;
    /** Lines, packets or orders so far. */
    readonly lines: number;
    readonly linesPerSecond: number;
    /** Seconds between the time of the last dated match and its reading; null before the first. */
    readonly lag: number | null;
    readonly waitingBytes: number;
    /** Those of them that newer input has overtaken, and how often that happened. */
    readonly laterBytes: number;
    readonly leaps: number;
    readonly cut: number;
    readonly shed: number;
    /** How often the kernel said that its buffer for packets was full, and logged packets that are none or from no host. */
    readonly overruns: number;
    readonly unusable: number;
    readonly shedBytes: number;
    /** Connections that were closed for want of room, or since their sender kept to no rule. */
    readonly turnedAway: number;
    /** Tries of patterns that were stopped, since they take too long on such lines. */
    readonly givenUp: number;
    /** Times the automata for long lines forgot their states, since these were too many. */
    readonly statesForgotten: number;
    /** Lines that the log's writer says it dropped. */
    readonly blind: number;
  }[];
  readonly jails: readonly {
    readonly name: string;
    /** Null for a jail that counts packets. */
    readonly filter: string | null;
    readonly sources: readonly string[];
    /** Of the highest step; `steps` has them all. */
    readonly target: string;
    readonly maxretry: number;
    readonly findtime: string;
    readonly bantime: string;
    readonly steps: readonly {
      readonly maxretry: number;
      readonly times: number;
      readonly target: string;
      readonly bantime: string;
    }[];
    readonly failures: number;
    readonly counted: number;
    readonly alreadyBanned: number;
    /** Of those, what happened more than five seconds after the ban. */
    readonly afterBan: number;
    readonly allowListed: number;
    readonly ownAddress: number;
    readonly trusted: number;
    readonly stale: number;
    readonly good: number;
    readonly bans: number;
    readonly banned: number;
    readonly addresses: number;
    readonly forgotten: number;
    /** Networks that are remembered as banned before, and those that had to make room. */
    readonly offenders: number;
    readonly forgottenOffenders: number;
    /** Bans for packets that were put off: too many in one second. */
    readonly capped: number;
    /** What the kernel does by itself; null for a jail that the daemon counts for. */
    readonly kernel: {
      /** More connections than this lead to a ban; null where `maxretry` packets within `findtime` do. */
      readonly connlimit: number | null;
      /** Packets of banned senders that were stopped before the daemon had taken up their bans. */
      readonly stopped: number;
      /** Bans that wait to be taken up. */
      readonly waiting: number;
      /** Bans for which there was no room, and packets that were not counted for want of it. */
      readonly full: number;
      readonly uncounted: number;
    } | null;
  }[];
  /** Lists of addresses, in the order in which a packet meets them. */
  readonly lists: readonly {
    readonly name: string;
    readonly verdict: "drop" | "reject" | "count";
    readonly state: string;
    /** Networks in force, and packets that met them: each counts for the first list that has its source. */
    readonly networks: number;
    readonly packets: number;
    readonly bytes: number;
    /** When it last was loaded anew; null before the first time. */
    readonly changedAt: string | null;
    /** Why a newer one is held back; null when none is. */
    readonly held: string | null;
    /** What went wrong last, until it goes well; a sentence. */
    readonly trouble: string | null;
    /** Lines that were not taken, not taken as too wide, and taken without their host bits. */
    readonly malformed: number;
    readonly wide: number;
    readonly masked: number;
    /** Entries over the bound. */
    readonly over: number;
    /** Special, own and allow-listed networks that it held. */
    readonly takenOut: number;
    /** The first of all these, as sentences. */
    readonly remarks: readonly string[];
  }[];
  /** Who is told of bans, and what came of it. */
  readonly notify: readonly {
    readonly name: string;
    readonly type: "webhook" | "mail" | "command";
    /** Messages that arrived, and that were given up. */
    readonly sent: number;
    readonly failed: number;
    /** Changes that wait for a message, or are in one under way. */
    readonly waiting: number;
    /** Changes that were told by their number only, of these `missed` without being looked at; and those nobody was told of. */
    readonly summed: number;
    readonly missed: number;
    readonly dropped: number;
    /** What went wrong last, until it goes well. */
    readonly lastTrouble: string | null;
  }[];
  /** The API over TCP; null when it is not offered. */
  readonly api: {
    readonly addresses: readonly string[];
    readonly requests: number;
    readonly wrongTokens: number;
    readonly turnedAway: number;
  } | null;
  /** The numbers of the changes of bans: their epoch, and the last one. */
  readonly feed: { readonly epoch: string; readonly last: number };
  /** Who is told of the bans. */
  readonly publishers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: string;
    /** Changes that were told, and those that were not: of others than the chosen, or from ØMQ itself. */
    readonly published: number;
    readonly left: number;
    /** Those that Swabber has no words for. */
    readonly unsayable: number;
    /** Messages that a subscriber missed, since its queue was full. */
    readonly missed: number;
    /** How often it fell behind and told all bans anew. */
    readonly resyncs: number;
    /** Peers whose greeting failed: a wrong key. */
    readonly turnedAway: number;
  }[];
  /** Whose orders are taken, and what came of them. */
  readonly origins: readonly {
    readonly name: string;
    readonly bans: number;
    readonly done: number;
    readonly nothing: number;
    readonly held: number;
    readonly refused: number;
    readonly unreadable: number;
    readonly lastRefusal: string | null;
  }[];
  /** Orders that wait for somebody to look at them, those that had to make room, and what else of orders was forgotten. */
  readonly held: {
    readonly orders: number;
    readonly dropped: number;
    readonly forgottenIds: number;
    readonly forgottenBans: number;
  };
  /** Addresses that are trusted after a good line, and those that had to make room. */
  readonly trusted: { readonly addresses: number; readonly forgotten: number };
  /** Names of `usedns` jails: those that were not looked up, and those that were forgotten early. */
  readonly names: { readonly dropped: number; readonly forgotten: number };
  /** Connections and requests that the control socket refused. */
  readonly control: { readonly turnedAway: number; readonly tooLong: number };
  /** Lines of Stoplog's own log; `held` are warnings that were only counted. */
  readonly log: { readonly written: number; readonly lost: number; readonly held: number };
  /** How much later than asked for timers fired in the last seconds with input, in ms. */
  readonly loop: { readonly p99Ms: number; readonly maxMs: number };
  readonly evidence: { readonly lines: number; readonly forgotten: number; readonly forgottenBans: number };
  /** What hinders it, as sentences: no capability, a file that is missing, lines that were shed. */
  readonly warnings: readonly string[];
}
