import { PrefixSet } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import { OwnAddresses } from "../jail/ignore.ts";
import { LiveSessions } from "../jail/live-sessions.ts";
import { Every } from "./every.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";
import { IgnoredElsewhere } from "./ignored/ignored-elsewhere.ts";
import { loggedInFrom } from "./sessions/read-logins.ts";
import { ownPrefixes } from "./own-addresses.ts";

/** Addresses that must not be banned: this machine's own, its gateways, and the allow-list. */
export class Exempt implements Feature {
  readonly name = "exempt addresses";
  readonly isEssential = true;
  readonly own = new OwnAddresses();
  readonly sessions: LiveSessions;
  readonly #refresh = new Every(REFRESH);
  /** Names and files in `ignoreip`. */
  readonly elsewhere: IgnoredElsewhere;
  readonly #now: () => Instant;
  #allowed = new PrefixSet();
  #ignoreSelf = true;

  constructor(now: () => Instant = () => 0, warn: (sentence: string) => void = () => undefined) {
    this.#now = now;
    this.elsewhere = new IgnoredElsewhere(now);
    this.sessions = new LiveSessions({ read: loggedInFrom, warn });
  }

  async follow(settings: Settings): Promise<void> {
    const { config } = settings;
    this.#allowed = new PrefixSet(config.ignoreip);
    this.#ignoreSelf = config.ignoreSelf;
    this.sessions.isOn = config.spareSessions;
    this.own.replace(ownPrefixes());
    await this.elsewhere.follow(settings);
  }

  /** DHCP and the administrator change addresses without notice. */
  tick(now: Instant): void {
    if (this.#refresh.isDue(now)) this.own.replace(ownPrefixes());
    this.elsewhere.tick(now);
  }

  status(): StatusFragment {
    return this.elsewhere.status();
  }

  troubles(): Iterable<Trouble> {
    return this.elsewhere.troubles();
  }

  warnings(): Iterable<string> {
    return this.elsewhere.warnings();
  }

  /** The addresses that no list blocks, as they change. */
  addresses() {
    return {
      own: () => this.own.values(),
      elsewhere: () => this.elsewhere.forAll(),
      sessions: () => this.sessions.all(this.#now()),
    };
  }

  /** Why a network must not be banned as a whole, or null. */
  why(prefix: Prefix): "own address" | "allow-listed" | null {
    if (this.#ignoreSelf && this.own.meets(prefix)) return "own address";
    const isAllowed = [this.#allowed, ...this.elsewhere.setsForAll()].some((list) => list.meets(prefix));
    return isAllowed ? "allow-listed" : null;
  }
}

/** Reading this machine's addresses and routes takes less than a millisecond. */
const REFRESH = 10 * SECOND;
