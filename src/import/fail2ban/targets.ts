import { dryRun } from "../../enforce/dry-run/kind.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import { Names } from "../names.ts";
import { block, flow, type Line } from "../yaml-page.ts";
import { YAMLSeq } from "yaml";
import type { Disk } from "./disk.ts";
import { whyEdited } from "./edited-action.ts";
import type { Packaged } from "./our-filters.ts";
import { mailsOf, type Mail } from "./mails.ts";
import type { Notes } from "./notes.ts";
import type { Jail, JailAction } from "./read-jails.ts";
import { oneOfEach } from "./one-of-each.ts";
import { commandWay, type Conversion, isStock, packetWays, type Way } from "./ways.ts";

/** Converts the actions of jails to targets, each once, and mails. */
export class Targets {
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #packaged: Packaged;
  readonly #names = new Names();
  readonly #lines = new Map<string, Line>();
  readonly #mails = new Map<string, { readonly mail: Mail; readonly jails: string[] }>();

  constructor(disk: Disk, notes: Notes, packaged: Packaged) {
    this.#disk = disk;
    this.#notes = notes;
    this.#packaged = packaged;
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

  /** The name of the target for a jail's bans, and the mails about them. */
  of(jail: Jail): { readonly target: string; readonly mails: readonly Mail[] } {
    const mails: Mail[] = [];
    const all = jail.actions.flatMap((action) => this.#waysOf(action, jail, mails));
    return { target: this.#target(jail, all), mails };
  }

  /** Sends mails about the bans of a converted jail. */
  tell(mails: readonly Mail[], name: string): void {
    for (const mail of mails) {
      const key = JSON.stringify(mail);
      const known = this.#mails.get(key) ?? { mail, jails: [] };
      if (!known.jails.includes(name)) known.jails.push(name);
      this.#mails.set(key, known);
    }
  }

  #target(jail: Jail, all: readonly Way[]): string {
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

  #waysOf(action: JailAction, jail: Jail, mails: Mail[]): readonly Way[] {
    const to = {
      disk: this.#disk,
      notes: this.#notes,
      what: jail.title("action"),
      own: `${jail.name}.action`,
    };
    this.#sayBantime(action, to.what);
    const edited = this.#edited(action, to);
    if (edited !== null) return [edited];
    const packets = packetWays(action, to);
    if (packets !== null) return packets;
    const mail = mailsOf(action, to);
    if (mail === "none") return [];
    if (mail === null) return this.#ownWays(action, to);
    mails.push(mail);
    return [];
  }

  /** The commands of the user's own action. One that is named as fail2ban's are, and cannot be converted, bans as those do. */
  #ownWays(action: JailAction, to: Conversion): readonly Way[] {
    const way = commandWay(action, to);
    if (way !== null) return [way];
    const like = LIKE_STOCK.exec(action.call.name)?.[0];
    if (like === undefined || action.definition === null) return [];
    this.#notes.differs(to.what, `${action.call.name}: banned as by ${like} instead`, action.place);
    return packetWays({ ...action, call: { ...action.call, name: like } }, to) ?? [];
  }

  #sayBantime({ call, place }: JailAction, what: string): void {
    const bantime = call.options.get("bantime");
    if (bantime !== undefined)
      this.#notes.differs(
        what,
        `${call.name}: bantime=${bantime} is left out: the jail's bantime applies`,
        place,
      );
  }

  /** The commands of an action that was edited, or null, with a note, where fail2ban's own action is meant or has to do. */
  #edited(action: JailAction, to: Conversion): Way | null {
    const { call, place } = action;
    const why = isStock(call.name) ? whyEdited(action, this.#packaged, this.#disk) : null;
    if (why === null) return null;
    const facts: string[] = [];
    const way = commandWay(action, {
      ...to,
      notes: { differs: (_, fact) => void facts.push(fact.replace(/^\S+: |: left out$/g, "")) },
    });
    const then =
      way === null
        ? `its commands are not converted, fail2ban's action of that name is (${facts.join("; ")})`
        : "its commands run for each ban";
    this.#notes.differs(to.what, `${call.name}: ${why}: ${then}`, place);
    return way;
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

/** The beginning of the names of actions that drop packets. */
const LIKE_STOCK = /^(?:iptables-ipset|iptables|nftables|firewallcmd-ipset|ufw|shorewall)(?=-)/;

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
