/**
 * The control socket: HTTP with JSON bodies on a UNIX socket. The CLI and the daemon share these shapes. Errors are
 * `{ error: sentence }` with status 400 (bad request), 404 (unknown path, jail, target or ban) or 500.
 *
 *      GET  /v1/status            StatusReply            GET  /v1/status/JAIL        StatusReply with that jail alone
 *      GET  /v1/bans              ListedBan[]            POST /v1/ban                BanRequest → BanAnswer
 *      POST /v1/unban             UnbanRequest → UnbanAnswer
 *      GET  /v1/why?address=ADDR  WhyReply               POST /v1/reload             → ReloadAnswer
 *      POST /v1/orders?origin=N   NDJSON → OrdersAnswer  GET  /v1/held?origin=N      HeldReply[]
 *      POST /v1/held              HeldRequest → HeldAnswer
 *      POST /v1/takeover          → {}: the daemon hands over its sockets to the process that listens beside this one, and ends
 *      POST /v1/notify            NotifyRequest → NotifyAnswer
 *      POST /v1/fail2ban          Fail2banRequest → Fail2banAnswer
 *      GET  /v1/metrics           Prometheus' text format
 *
 * Lists (ListedBan[], HeldReply[]) come one element a line to a client that accepts application/x-ndjson.
 */

/** A ban; times in ISO 8601, `until` null for a permanent one. */
export interface BanReply {
  readonly address: string;
  readonly jail: string;
  readonly target: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
  readonly origin: string;
}

/** An active ban, as `list --json` prints it. */
export interface ListedBan extends BanReply {
  /** Whether packets of the address are stopped: false when an enforcer refused the ban, null when that is not known. */
  readonly enforced: boolean | null;
  /** Why it is not enforced, or not known to be; null when it is, and in a dry run. */
  readonly trouble: string | null;
}

export interface BanRequest {
  /** Addresses or networks. */
  readonly addresses: readonly string[];
  /** As in the configuration: `1h`, `-1` for permanent. Default: the jail's bantime, else 1h. */
  readonly duration?: string;
  readonly jail?: string;
  readonly target?: string;
  /** Also bans addresses from which a user is logged in. */
  readonly force?: boolean;
}

export interface BanAnswer {
  /** One for each address, in the same order. */
  readonly results: readonly {
    readonly address: string;
    readonly outcome: "banned" | "prolonged" | "unchanged" | "refused";
    /** A sentence. */
    readonly detail: string;
    /** As in ListedBan; not there for a refused address. */
    readonly enforced?: boolean | null;
    readonly trouble?: string | null;
  }[];
}

export type UnbanRequest =
  /** At every target. With a jail, only bans of that jail. */
  | { readonly addresses: readonly string[]; readonly jail?: string }
  | { readonly all: true; readonly jail?: string }
  /** Removes every ban that an origin has ordered. */
  | { readonly origin: string };

export interface UnbanAnswer {
  /** Bans that were removed. */
  readonly lifted: number;
  readonly results: readonly {
    readonly address: string;
    readonly outcome: "lifted" | "not banned" | "refused";
    readonly detail: string;
  }[];
}

/** The orders of a batch by outcome; the first few refusals and warnings as sentences. */
export interface OrdersAnswer {
  readonly done: number;
  readonly nothing: number;
  readonly held: number;
  readonly refused: number;
  readonly unreadable: number;
  readonly sentences: readonly string[];
}

/** Sends a test message by one entry of `notify`. */
export interface NotifyRequest {
  readonly name: string;
}

export interface NotifyAnswer {
  /** Null when the message arrived. */
  readonly trouble: string | null;
}

/** An order to allow. */
export interface AllowedReply {
  readonly address: string;
  readonly since: string;
  /** Null for a permanent one. */
  readonly until: string | null;
  readonly origin: string;
}

/** An order, or a new version of a list, that waits for an operator. */
export interface HeldReply {
  /** The name of the origin or the list. */
  readonly origin: string;
  readonly order: "ban" | "unban" | "allow" | "unallow" | "list";
  /** Empty for a list. */
  readonly address: string;
  readonly reason: string;
  /** Why it is held. */
  readonly fact: string;
  readonly since: string;
}

/** Carries out or drops held orders, and applies held lists: of one origin or list, or of all. */
export interface HeldRequest {
  readonly act: "release" | "drop";
  readonly origin?: string;
}

export interface HeldAnswer {
  readonly done: number;
  /** Orders that the origin's rules refused. */
  readonly refused: number;
}

export interface WhyReply {
  readonly address: string;
  readonly banned: boolean;
  /** One sentence: 'Banned at default by sshd until …: 5 failures in 10m', or why not. */
  readonly summary: string;
  readonly bans: readonly ListedBan[];
  /** What each jail has counted of the address. */
  readonly jails: readonly {
    readonly jail: string;
    readonly seen: number;
    readonly needed: number;
    readonly ignored:
      | "allow-listed"
      | "own address"
      | "impossible address"
      | "trusted"
      | "live session"
      | null;
  }[];
  /** The lists that contain it, and what they do with its packets. */
  readonly lists: readonly { readonly name: string; readonly verdict: "drop" | "reject" | "count" }[];
  /** The lines that counted, oldest first, as far as they are kept. */
  readonly lines: readonly string[];
}

export interface ReloadAnswer {
  readonly reloaded: boolean;
  /** What changed, or every error with its line and column. */
  readonly sentences: readonly string[];
}

/** A command of `fail2ban-client`: its words. */
export interface Fail2banRequest {
  readonly command: readonly unknown[];
}

/** What fail2ban's server answers: a value, or an exception of Python with its arguments. Tuples are lists here. */
export type Fail2banAnswer =
  | { readonly value: unknown }
  | { readonly exception: { readonly type: string; readonly args: readonly unknown[] } };

export interface StatusReply {
  readonly version: string;
  /** `starting` until everything was tried once; then `degraded` as long as something that is configured does not work. */
  readonly state: "starting" | "healthy" | "degraded";
  readonly pid: number;
  readonly since: string;
  readonly config: string | null;
  /** fail2ban's folder that the jails were converted from, and what works differently here, as sentences; null without `--fail2ban`. */
  readonly imported: { readonly folder: string; readonly differences: readonly string[] } | null;
  readonly dryRun: boolean;
  readonly memoryBytes: number;
  readonly enforcers: readonly {
    readonly kind: string;
    readonly state: string;
    readonly applied: number;
    readonly refused: number;
    readonly resyncs: number;
    /** Bans that it refused and will be given again, and bans that left a full set for newer ones. */
    readonly notEnforced: number;
    readonly evicted: number;
    /** What is wrong now, as a sentence; null when nothing is. */
    readonly trouble: string | null;
    /** The last trouble as a sentence, over or not; null before the first. */
    readonly lastTrouble: string | null;
  }[];
  /** Open connections of banned addresses; null when no target cuts them. */
  readonly connections: {
    readonly state: string;
    /** Times the kernel's lists of connections were searched. */
    readonly passes: number;
    /** Conntrack entries and sockets that were cut, and connections that the kernel did not cut. */
    readonly entries: number;
    readonly sockets: number;
    readonly refused: number;
    /** Prefixes that wait, and prefixes whose connections were not cut. */
    readonly waiting: number;
    readonly dropped: number;
    /** What the last search could not cut, or what can never be cut here, as a sentence; null when there is nothing. */
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
    /** Lines, packets or orders read. */
    readonly lines: number;
    readonly linesPerSecond: number;
    /** Seconds between the time of the last dated match and its reading; null before the first. */
    readonly lag: number | null;
    readonly waitingBytes: number;
    /** Waiting bytes that newer input has overtaken, and how often that happened. */
    readonly laterBytes: number;
    readonly leaps: number;
    /** Rotated files whose unread lines are lost. */
    readonly lostFiles: number;
    readonly cut: number;
    readonly shed: number;
    /** Times the kernel said that its packet buffer was full; logged packets that are not IP or not from a host. */
    readonly overruns: number;
    readonly unusable: number;
    readonly shedBytes: number;
    /** Connections closed for lack of room, or because the sender broke the protocol. */
    readonly turnedAway: number;
    /** Tries of patterns that were stopped: they take too long on such lines. */
    readonly givenUp: number;
    /** Times the automata for long lines dropped their states: there were too many. */
    readonly statesForgotten: number;
    /** Lines that the log's writer says it dropped. */
    readonly blind: number;
  }[];
  readonly jails: readonly {
    readonly name: string;
    /** Null for a jail that counts packets. */
    readonly filter: string | null;
    readonly sources: readonly string[];
    /** Of the last step; `steps` has all of them. */
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
    /** Failures of addresses whose ban is not enforced. */
    readonly notEnforced: number;
    /** Of those, more than five seconds after the ban. */
    readonly afterBan: number;
    readonly allowListed: number;
    readonly ownAddress: number;
    readonly impossible: number;
    readonly unforgiven: number;
    readonly trusted: number;
    readonly stale: number;
    readonly good: number;
    /** Bans that were not made because a user is logged in from the address. */
    readonly spared: number;
    readonly bans: number;
    readonly banned: number;
    readonly addresses: number;
    readonly forgotten: number;
    /** Networks remembered as banned before, and networks forgotten to make room. */
    readonly offenders: number;
    readonly forgottenOffenders: number;
    /** Bans for packets that were put off: too many in one second. */
    readonly capped: number;
    /** What the kernel counts for this jail; null when the daemon counts. */
    readonly kernel: {
      /** More connections than this lead to a ban; null where `maxretry` packets within `findtime` do. */
      readonly connlimit: number | null;
      /** Packets of banned senders that the kernel stopped before the daemon adopted their bans. */
      readonly stopped: number;
      /** Bans that the daemon has not adopted yet. */
      readonly waiting: number;
      /** Bans and packets that the kernel had no room for. */
      readonly full: number;
      readonly uncounted: number;
    } | null;
  }[];
  /** Lists of addresses, in the order in which a packet meets them. */
  readonly lists: readonly {
    readonly name: string;
    readonly verdict: "drop" | "reject" | "count";
    readonly state: string;
    /** Networks in force, and packets that matched them: each counts for the first list that contains its source. */
    readonly networks: number;
    readonly packets: number;
    readonly bytes: number;
    /** When it was last loaded; null before the first time. */
    readonly changedAt: string | null;
    /** Why a newer version is held back; null when none is. */
    readonly held: string | null;
    /** The last error, as a sentence; null after a success. */
    readonly trouble: string | null;
    /** Lines that were malformed, too wide, or applied without their host bits. */
    readonly malformed: number;
    readonly wide: number;
    readonly masked: number;
    /** Entries over the limit. */
    readonly over: number;
    /** Special, own and allow-listed networks that were removed from it. */
    readonly takenOut: number;
    /** The first of these, as sentences. */
    readonly remarks: readonly string[];
  }[];
  /** Notifications of bans. */
  readonly notify: readonly {
    readonly name: string;
    /** The name of its kind. */
    readonly type: string;
    /** Messages that arrived, and messages that were given up. */
    readonly sent: number;
    readonly failed: number;
    /** Changes that wait for a message, or are in one on its way. */
    readonly waiting: number;
    /** Changes that a message only counts (`missed`: too fast to be looked at), and changes in no message. */
    readonly summed: number;
    readonly missed: number;
    readonly dropped: number;
    /** The last error; null after a success. */
    readonly lastTrouble: string | null;
  }[];
  /** The API over TCP; null when not configured. */
  readonly api: {
    readonly addresses: readonly string[];
    readonly requests: number;
    readonly wrongTokens: number;
    readonly turnedAway: number;
  } | null;
  /** The listener for metrics; null when not configured. */
  readonly metrics: {
    /** Where it listens; null while it cannot. */
    readonly address: string | null;
    readonly requests: number;
    readonly turnedAway: number;
  } | null;
  /** The epoch of change numbers, and the last number. */
  readonly feed: { readonly epoch: string; readonly last: number };
  /** ØMQ publishers of bans. */
  readonly publishers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: string;
    /** Changes that were published, and changes left out: of other origins or jails than chosen, or received over ØMQ. */
    readonly published: number;
    readonly left: number;
    /** Published changes that Swabber's format cannot express. */
    readonly unsayable: number;
    /** Messages that a subscriber missed because its queue was full. */
    readonly missed: number;
    /** Times it fell behind and published all bans again. */
    readonly resyncs: number;
    /** Peers whose handshake failed: a wrong key. */
    readonly turnedAway: number;
  }[];
  /** Where orders come from, and their outcomes. */
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
  /** Orders that wait for an operator, orders dropped to make room, and what else was forgotten. */
  readonly held: {
    readonly orders: number;
    readonly dropped: number;
    readonly forgottenIds: number;
    readonly forgottenBans: number;
  };
  /** Orders to allow that last: their number, those that are in force and no longer listed, and the newest, the newest first. */
  readonly allows: {
    readonly orders: number;
    readonly forgotten: number;
    readonly newest: readonly AllowedReply[];
  };
  /** Addresses trusted after a successful login, and addresses forgotten to make room. */
  readonly trusted: { readonly addresses: number; readonly forgotten: number };
  /** Runs of ignore commands: addresses asked about, those to ignore, runs without an answer, addresses not asked about, and answers forgotten early. */
  readonly ignorecommand: {
    readonly asked: number;
    readonly found: number;
    readonly failed: number;
    readonly dropped: number;
    readonly forgotten: number;
  };
  /** Names and files of `ignoreip`: their addresses, failed look-ups and reads, entries that cannot be used, and names and files beyond the bound. */
  readonly ignoreip: {
    readonly addresses: number;
    readonly failed: number;
    readonly bad: number;
    readonly dropped: number;
  };
  /** Host names of `usedns` jails: not looked up, and forgotten early. */
  readonly names: { readonly dropped: number; readonly forgotten: number };
  /** Connections and requests that the control socket refused. */
  readonly control: { readonly turnedAway: number; readonly tooLong: number };
  /** Commands of fail2ban's client, on its socket and through `stoplog fail2ban-client`. */
  readonly fail2ban: {
    /** The path of its socket; null when it is not configured, or cannot be opened. */
    readonly socket: string | null;
    readonly commands: number;
    /** Messages that were not a command of plain values. */
    readonly refused: number;
    readonly turnedAway: number;
    /** Connections closed because a command was too long or not finished. */
    readonly broken: number;
    /** Banned addresses left out of answers. */
    readonly unlisted: number;
  };
  /** Lines of Stoplog's own log; `held` are warnings that were counted instead of logged. */
  readonly log: { readonly written: number; readonly lost: number; readonly held: number };
  /** How late timers fired in the last seconds with much input, in ms. */
  readonly loop: { readonly p99Ms: number; readonly maxMs: number };
  readonly evidence: { readonly lines: number; readonly forgotten: number; readonly forgottenBans: number };
  /** What is configured and does not work now, as sentences. */
  readonly troubles: readonly string[];
  /** The troubles, then advice and losses, as sentences: lines that were shed, an ignoreip that covers every address. */
  readonly warnings: readonly string[];
}
