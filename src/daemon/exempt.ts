import { PrefixSet } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { type Instant, SECOND } from "../core/time.ts";
import { type NeverBanned, OwnAddresses } from "../jail/ignore.ts";
import { LiveSessions } from "../jail/live-sessions.ts";
import { Every } from "./every.ts";
import type { Feature, Settings } from "./feature.ts";
import { loggedInFrom } from "./sessions/read-logins.ts";
import { ownPrefixes } from "./own-addresses.ts";

/** Addresses that must not be banned: this machine's own, its gateways, and the allow-list. */
export class Exempt implements Feature {
  readonly name = "exempt addresses";
  readonly isEssential = true;
  readonly own = new OwnAddresses();
  readonly sessions: LiveSessions;
  readonly #refresh = new Every(REFRESH);
  readonly #elsewhere: () => readonly NeverBanned[];
  #allowed = new PrefixSet();
  #ignoreSelf = true;

  /** `elsewhere` are the addresses of names and files in `ignoreip`. */
  constructor(
    warn: (sentence: string) => void = () => undefined,
    elsewhere: () => readonly NeverBanned[] = () => [],
  ) {
    this.#elsewhere = elsewhere;
    this.sessions = new LiveSessions({ read: loggedInFrom, warn });
  }

  follow({ config }: Settings): void {
    this.#allowed = new PrefixSet(config.ignoreip);
    this.#ignoreSelf = config.ignoreSelf;
    this.sessions.isOn = config.spareSessions;
    this.own.replace(ownPrefixes());
  }

  /** DHCP and the administrator change addresses without notice. */
  tick(now: Instant): void {
    if (this.#refresh.isDue(now)) this.own.replace(ownPrefixes());
  }

  /** Why a network must not be banned as a whole, or null. */
  why(prefix: Prefix): "own address" | "allow-listed" | null {
    if (this.#ignoreSelf && this.own.meets(prefix)) return "own address";
    const isAllowed = [this.#allowed, ...this.#elsewhere()].some((list) => list.meets(prefix));
    return isAllowed ? "allow-listed" : null;
  }
}

/** Reading this machine's addresses and routes takes less than a millisecond. */
const REFRESH = 10 * SECOND;
