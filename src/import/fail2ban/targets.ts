import { dryRun } from "../../enforce/dry-run/kind.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import { Names } from "../names.ts";
import { block, flow, type Line } from "../yaml-page.ts";
import { YAMLSeq } from "yaml";
import type { Disk } from "./disk.ts";
import { mailsOf, type Mail } from "./mails.ts";
import type { Notes } from "./notes.ts";
import { type Jail, type JailAction, tried } from "./read-jails.ts";
import { oneOfEach } from "./one-of-each.ts";
import { commandWay, isStock, packetWays, type Way } from "./ways.ts";

/** Converts the actions of jails to targets, each once, and mails. */
export class Targets {
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #names = new Names();
  readonly #lines = new Map<string, Line>();
  readonly #mails = new Map<string, { readonly mail: Mail; readonly jails: string[] }>();

  constructor(disk: Disk, notes: Notes) {
    this.#disk = disk;
    this.#notes = notes;
  }

  get lines(): readonly Line[] {
    return [...this.#lines.values()];
  }

  get notify(): readonly Line[] {
    const names = new Names();
    return [...this.#mails.values()].map(({ mail, jails }) => [
      names.take("mail"),
      flow([
        ["type", "mail"],
        ["to", mail.to],
        ...(mail.from === null ? [] : [["from", mail.from] as const]),
        ["jails", jails],
      ]),
    ]);
  }

  /** The name of the target for a jail's bans; `name` is the converted jail's. */
  of(jail: Jail, name: string): string {
    const all = jail.actions.flatMap((action) => this.#waysOf(action, jail, name));
    const { ways, said } = oneOfEach(all);
    for (const fact of said)
      this.#notes.differs(`${jail.name}.action`, fact, jail.get("action") ?? jail.place);
    if (ways.length > 0) return this.#add(ways);
    this.#notes.differs(
      `${jail.name}.action`,
      "none of its actions bans: its target 'nothing' only logs what it would do",
      jail.get("action") ?? jail.place,
    );
    return this.#add([{ name: "nothing", keys: [["enforcer", dryRun.name]] }]);
  }

  #waysOf(action: JailAction, jail: Jail, name: string): readonly Way[] {
    const to = {
      disk: this.#disk,
      notes: this.#notes,
      what: jail.title("action"),
      own: `${jail.name}.action`,
    };
    this.#sayChanged(action, to.what);
    const packets = packetWays(action, to);
    if (packets !== null) return packets;
    const mail = mailsOf(action, to);
    if (mail === "none") return [];
    if (mail === null) return [commandWay(action, to)].filter((way) => way !== null);
    const key = JSON.stringify(mail);
    const known = this.#mails.get(key) ?? { mail, jails: [] };
    if (!known.jails.includes(name)) known.jails.push(name);
    this.#mails.set(key, known);
    return [];
  }

  #sayChanged({ call, definition, place }: JailAction, what: string): void {
    const bantime = call.options.get("bantime");
    if (bantime !== undefined)
      this.#notes.differs(
        what,
        `${call.name}: bantime=${bantime} is left out: the jail's bantime applies`,
        place,
      );
    const ban =
      definition === null || !isStock(call.name) ? null : tried(definition, "actionban", () => undefined);
    if (ban?.file.endsWith(".local") === true)
      this.#notes.differs(what, `${call.name}: your own actionban is not converted`, ban);
  }

  #add(ways: readonly Way[]): string {
    const keys = ways.map((way) => way.keys);
    const key = JSON.stringify(keys);
    const known = this.#lines.get(key);
    if (known !== undefined) return known[0];
    const name = this.#names.take([...new Set(ways.map(({ name }) => name))].join("-"));
    this.#lines.set(key, [name, nodeOf(keys)]);
    return name;
  }
}

function nodeOf(ways: readonly (readonly Line[])[]) {
  const nodes = ways.map((keys) => {
    const written: readonly Line[] = keys.length === 0 ? [["enforcer", nftables.name]] : keys;
    return written.some(([, value]) => Array.isArray(value) && value.includes("-c"))
      ? block(written)
      : flow(written);
  });
  const [only] = nodes;
  if (nodes.length === 1 && only !== undefined) return only;
  const list = new YAMLSeq();
  list.items.push(...nodes);
  return list;
}
