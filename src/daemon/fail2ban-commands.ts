import type { Fail2banHost, JailChange } from "../api/fail2ban/host.ts";
import type { Answer, Plain } from "../api/fail2ban/plain.ts";
import type { Fail2banStats } from "../api/fail2ban/stats.ts";
import type { Controller } from "../api/routes.ts";
import type { Fail2banAnswer, Fail2banRequest } from "../api/wire.ts";
import type { Config } from "../config/config.ts";
import type { Ban } from "../core/ban.ts";
import { type Prefix, prefixOf } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { LogLevel } from "../observe/log.ts";
import type { Composition } from "./compose.ts";
import { jailFacts } from "./jail-facts.ts";
import type { JailChanges } from "./jail-changes.ts";

export interface Fail2banDeps {
  readonly parts: Pick<Composition, "book" | "jails">;
  readonly controller: Pick<Controller, "ban" | "unban" | "reload">;
  readonly stats: Fail2banStats;
  readonly logging: { level: LogLevel };
  /** Of Stoplog. */
  readonly version: string;
  /** With the changes. */
  readonly config: () => Config;
  readonly changes: () => JailChanges;
  readonly change: (jail: string, change: JailChange) => Promise<void>;
  readonly now: () => Instant;
}

/** Answers the commands of fail2ban's client for the daemon. The code of the commands is loaded with the first one. */
export class Fail2banCommands implements Fail2banHost {
  readonly #stats: Fail2banStats;
  readonly version: string;
  readonly log: Fail2banHost["log"];
  readonly #deps: Fail2banDeps;

  constructor(deps: Fail2banDeps) {
    const { logging, version } = deps;
    this.#deps = deps;
    this.#stats = deps.stats;
    this.version = version;
    this.log = {
      get level() {
        return logging.level;
      },
      set level(level) {
        logging.level = level;
      },
      target: process.env["JOURNAL_STREAM"] === undefined ? "STDERR" : "SYSTEMD-JOURNAL",
    };
  }

  async answer(command: Plain): Promise<Answer> {
    this.#stats.commands++;
    const { answerCommand, Lists } = await import("../api/fail2ban/answer.ts");
    return answerCommand(this, command, new Lists(this.#stats));
  }

  /** The same for the control socket, in JSON. */
  async answerRequest({ command }: Fail2banRequest): Promise<Fail2banAnswer> {
    const answer = await this.answer(command as Plain);
    const { jsonOf } = await import("../api/fail2ban/plain.ts");
    if ("value" in answer) return { value: jsonOf(answer.value) };
    const { type, args } = answer.exception;
    return { exception: { type, args: args.map(jsonOf) } };
  }

  jails(): ReturnType<Fail2banHost["jails"]> {
    const { parts, config } = this.#deps;
    return parts.jails.all.map((running) => jailFacts(running, config(), parts.book));
  }

  stoppedJails(): readonly string[] {
    return [...this.#deps.changes()].filter(([, { isStopped }]) => isStopped).map(([name]) => name);
  }

  bansOf(jail: string): Iterable<readonly Ban[]> {
    return this.#deps.parts.book.bansIn(jail, this.#deps.now());
  }

  bansOn({ address, length }: Prefix): readonly Ban[] {
    const { parts, now } = this.#deps;
    const lengths = Array.from({ length: length + 1 }, (_, i) => length - i);
    return lengths
      .flatMap((each) => parts.book.of(prefixOf(address, each)))
      .filter(({ until }) => until > now());
  }

  ban(addresses: readonly string[], jail: string): ReturnType<Fail2banHost["ban"]> {
    return this.#deps.controller.ban({ addresses, jail });
  }

  unban(addresses: readonly string[], jail: string | null): ReturnType<Fail2banHost["unban"]> {
    return this.#deps.controller.unban(jail === null ? { addresses } : { addresses, jail });
  }

  async unbanAll(jail: string | null): Promise<number> {
    const { lifted } = await this.#deps.controller.unban(jail === null ? { all: true } : { all: true, jail });
    return lifted;
  }

  change(jail: string, change: JailChange): Promise<void> {
    return this.#deps.change(jail, change);
  }

  reload(): ReturnType<Fail2banHost["reload"]> {
    return this.#deps.controller.reload();
  }
}
