import { connect } from "node:net";
import { cannot, StoplogError } from "../../core/errors.ts";
import type { Duration } from "../../core/time.ts";

export interface RuntimeOptions {
  /** Of the socket. */
  readonly path: string;
  readonly kind: "acl" | "map";
  /** The acl's or map's file, which is its name. */
  readonly file: string;
  readonly timeout: Duration;
}

export interface RuntimeChange {
  readonly kind: "add" | "del";
  readonly prefix: string;
}

/** HAProxy's runtime socket ("Unix Socket commands" of its management guide): changes an acl or map while HAProxy runs. */
export class RuntimeSocket {
  readonly #options: RuntimeOptions;
  readonly #name: string;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#name = options.file.replace(/[\\; ]/g, "\\$&");
  }

  /** Makes changes in their order; returns the ones that HAProxy refused. Rejects with a StoplogError when it does not answer. */
  async change(changes: readonly RuntimeChange[]): Promise<readonly { place: number; fact: string }[]> {
    const refused: { place: number; fact: string }[] = [];
    const commands = changes.map((change) => this.#commandOf(change));
    for (let from = 0; from < commands.length;) {
      const line = nextLine(commands, from);
      const answer = await this.#ask(line.join(";"));
      // HAProxy answers a successful command with an empty line. Anything else: once more, one at a time, to know which failed.
      if (answer.trim() !== "") {
        for (const [i, command] of line.entries()) {
          const fact = (await this.#ask(command)).trim();
          const isThere = changes[from + i]?.kind === "del" && /not found|does not exist/i.test(fact);
          if (fact !== "" && !isThere)
            refused.push({ place: from + i, fact: `HAProxy: ${fact.slice(0, 200)}` });
        }
      }
      from += line.length;
    }
    return refused;
  }

  /** The prefixes that HAProxy holds, each as often as it holds it. */
  async list(): Promise<readonly string[]> {
    const answer = await this.#ask(`show ${this.#options.kind} ${this.#name}`);
    if (answer.trim().startsWith("Unknown ")) throw this.#unknown();
    return [...answer.matchAll(/^0x[0-9a-f]+ (\S+)/gm)].map(([, prefix = ""]) => prefix);
  }

  /**
   * Something that differs after a reload or a restart of HAProxy, or when its entries change behind our back: its process and, from
   * version 2.4 on, the number of entries.
   */
  async fingerprint(): Promise<string> {
    const info = await this.#ask("show info");
    const all = await this.#ask(`show ${this.#options.kind}`);
    const entry = all.split("\n").find((line) => line.includes(`(${this.#options.file})`));
    if (entry === undefined) throw this.#unknown();
    return `${/^Pid: (\d+)/m.exec(info)?.[1]} ${/\bentry_cnt=(\d+)/.exec(entry)?.[1]}`;
  }

  #commandOf({ kind, prefix }: RuntimeChange): string {
    const value = this.#options.kind === "map" && kind === "add" ? " 1" : "";
    return `${kind} ${this.#options.kind} ${this.#name} ${prefix}${value}`;
  }

  #unknown(): StoplogError {
    const { kind, file } = this.#options;
    return new StoplogError(`Cannot ban at HAProxy: its configuration has no ${kind} of the file ${file}`);
  }

  /** Sends one line on a connection of its own; resolves with everything that HAProxy answers before it closes. */
  #ask(line: string): Promise<string> {
    const { path, timeout } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      const pieces: Buffer[] = [];
      let length = 0;
      const fail = (error: unknown): void => {
        socket.destroy();
        reject(cannot(`use HAProxy's socket ${path}`, error));
      };
      socket.setTimeout(timeout, () => fail("it does not answer"));
      socket.on("error", fail);
      socket.on("data", (piece: Buffer) => {
        pieces.push(piece);
        length += piece.length;
        if (length > LONGEST_ANSWER) fail(`it sent more than ${LONGEST_ANSWER} bytes`);
      });
      socket.on("end", () => {
        socket.destroy();
        resolve(Buffer.concat(pieces).toString("latin1"));
      });
      socket.write(`${line}\n`);
    });
  }
}

/** A line must fit into HAProxy's buffer (tune.bufsize, 16 KiB). */
const LONGEST_LINE = 8000;
/** 100,000 entries are 6 MB. */
const LONGEST_ANSWER = 32 * 1024 * 1024;

function nextLine(commands: readonly string[], from: number): readonly string[] {
  let length = 0;
  let to = from;
  while (to < commands.length && (to === from || length + (commands[to]?.length ?? 0) + 1 <= LONGEST_LINE)) {
    length += (commands[to]?.length ?? 0) + 1;
    to++;
  }
  return commands.slice(from, to);
}
