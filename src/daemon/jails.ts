import type { StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Address } from "../core/address.ts";
import { formatDuration } from "../core/duration.ts";
import { LIMITS } from "../core/limits.ts";
import { hostPrefix, isHost } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import { Evidence } from "../jail/evidence.ts";
import { Offences } from "../jail/offences.ts";
import { Trusted } from "../jail/trusted.ts";
import { BanCap } from "./ban-cap.ts";
import { buildJails } from "./build-jails.ts";
import type { Exempt } from "./exempt.ts";
import type { Feature, Move, Settings, StatusFragment } from "./feature.ts";
import { IgnoreCommands } from "./ignored/ignore-commands.ts";
import type { RunProgram } from "./ignored/ignore-runs.ts";
import type { OffloadFigures } from "./offload.ts";
import type { RunningJail } from "./pipeline.ts";

export interface JailsDeps {
  readonly book: Book;
  readonly exempt: Pick<Exempt, "own"> & Partial<Pick<Exempt, "sessions" | "elsewhere">>;
  readonly now?: () => Instant;
  /** Runs ignore commands; the operating system does unless set. */
  readonly run?: RunProgram;
  /** What the kernel counts for a jail. */
  readonly offloaded: (jail: string) => OffloadFigures;
}

/** The jails of the configuration, and what they share. A reload keeps the counters of every jail that stays. */
export class Jails implements Feature {
  readonly name = "jails";
  readonly isEssential = true;
  readonly evidence = new Evidence({ lines: LIMITS.evidenceLines.value, bans: LIMITS.evidenceBans.value });
  readonly trusted = new Trusted(LIMITS.trusted.value);
  /** Earlier bans, of all jails with `overalljails`. */
  readonly offences = new Offences(LIMITS.offenders.value);
  readonly commands: IgnoreCommands;
  readonly cap = new BanCap(LIMITS.packetBans.value);
  readonly #deps: JailsDeps;
  #all: readonly RunningJail[] = [];
  /** Undoes the last reload. */
  #undo: () => void = () => undefined;

  constructor(deps: JailsDeps) {
    this.#deps = deps;
    const ignored = (jail: string, address: Address): void => this.#unbanIgnored(jail, address);
    this.commands = new IgnoreCommands({ now: deps.now ?? (() => 0), ignored, run: deps.run });
  }

  get all(): readonly RunningJail[] {
    return this.#all;
  }

  follow({ config }: Settings, move: Move = "start"): void {
    const { trusted, offences } = this;
    const { own, sessions, elsewhere } = this.#deps.exempt;
    this.cap.most = config.limits.packetBans;
    // A refused reload must not cost the counters of a jail that it changed.
    if (move === "rollback") return this.#undo();
    const before = this.#all;
    const undoers = before.map(({ jail }) => jail.undoer());
    this.#undo = () => {
      this.#all = before;
      this.commands.follow(before.map((running) => running.config));
      for (const undo of undoers) undo();
    };
    this.commands.follow(config.jails);
    const { commands } = this;
    this.#all = buildJails(config, this.#all, { own, sessions, elsewhere, commands, trusted, offences });
  }

  status(): StatusFragment {
    const { evidence, trusted } = this;
    return {
      jails: this.#all.map((running) => this.#reply(running)),
      evidence: {
        lines: evidence.lines,
        forgotten: evidence.forgotten,
        forgottenBans: evidence.forgottenBans,
      },
      ignorecommand: this.commands.figures,
      trusted: { addresses: trusted.size, forgotten: trusted.forgotten },
    };
  }

  troubles(): Iterable<Trouble> {
    return this.commands.troubles();
  }

  /** The answer of an ignorecommand may come after the jail's own ban. */
  #unbanIgnored(name: string, address: Address): void {
    const running = this.#all.find(({ jail }) => jail.options.name === name);
    if (running === undefined) return;
    const network = running.jail.prefixOf(address);
    running.jail.forget(address);
    for (const prefix of isHost(network) ? [network] : [network, hostPrefix(address)])
      for (const ban of this.#deps.book.of(prefix))
        if (ban.jail === name && ban.origin === "local")
          this.#deps.book.unban(ban.prefix, "exempt", ban.target);
  }

  #reply({ config, jail }: RunningJail): StatusReply["jails"][number] {
    const { counting, offences, stats, options } = jail;
    const { kernel, capped } = this.#deps.offloaded(options.name);
    return {
      name: options.name,
      filter: config.filter?.name ?? null,
      sources: config.sources,
      target: jail.target,
      maxretry: options.maxretry,
      findtime: formatDuration(options.findtime),
      bantime: formatDuration(jail.bantime),
      steps: options.steps.map(({ maxretry, times, target, bantime }) => ({
        maxretry,
        times,
        target,
        bantime: formatDuration(bantime),
      })),
      ...stats,
      banned: this.#deps.book.bansOf(options.name),
      addresses: counting.size,
      forgotten: counting.forgotten,
      offenders: offences.size,
      forgottenOffenders: offences.forgotten,
      capped: this.cap.putOff(options.name) + capped,
      kernel,
    };
  }
}
