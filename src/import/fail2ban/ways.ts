import { command } from "../../enforce/command/kind.ts";
import { ipset } from "../../enforce/ipset/kind.ts";
import type { EnforcerKind, Fail2banAction } from "../../enforce/kind.ts";
import { ENFORCER_KINDS } from "../../enforce/kinds.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import type { Line } from "../yaml-page.ts";
import type { Disk } from "./disk.ts";
import type { Notes } from "./notes.ts";
import { readPorts } from "./ports.ts";
import { type JailAction, tried } from "./read-jails.ts";

/** An enforcer that does what an action of fail2ban does. */
export interface Way {
  /** For the target's name. */
  readonly name: string;
  readonly keys: readonly Line[];
}

export interface Conversion {
  readonly disk: Disk;
  readonly notes: Pick<Notes, "differs">;
  /** 'JAIL.action', or 'DEFAULT.action' when it is set there. */
  readonly what: string;
  /** 'JAIL.action'. */
  readonly own: string;
}

/** The ways of an action that drops packets; null when it is not one of fail2ban's own. */
export function packetWays(action: JailAction, to: Conversion): readonly Way[] | null {
  const { name } = action.call;
  const known = stockAction(name);
  if (known === null) return null;
  const { kind, stock } = known;
  const option = reader(action, to);
  if (stock.target !== undefined) {
    const note = (fact: string): void => to.notes.differs(to.what, `${name}: ${fact}`, action.place);
    const target = stock.target({ option, note });
    return [{ name: target.name, keys: [["enforcer", kind.name], ...target.keys] }];
  }
  if (/^(?:return|accept)\b/i.test(option("blocktype") ?? "")) {
    to.notes.differs(to.what, `${name}: opens ports instead of closing them: left out`, action.place);
    return [];
  }
  if (stock.note !== undefined) to.notes.differs(to.what, `${name}: ${stock.note}`, action.place);
  const verdict: readonly Line[] = /drop/i.test(option("blocktype") ?? "") ? [] : [["verdict", "reject"]];
  const scope = stock.allPorts === true ? ALL_TRAFFIC : scopeOf(action, option, to);
  const chains = chainsOf(known, option);
  if (chains.length > 1 && chains.includes("INPUT")) {
    const fact = `chain ${chains.join(", ")}: nftables bans before routing, which covers all of them`;
    to.notes.differs(to.what, `${name}: ${fact}`, action.place);
    return [{ name: scope.name, keys: [...verdict, ...scope.keys] }];
  }
  const hook = option("chain_hook");
  if (hook !== null && hook !== "input")
    to.notes.differs(
      to.what,
      `${name}: chain_hook ${hook} is not supported: bans apply to incoming traffic`,
      action.place,
    );
  if (chains.length === 0 && kind === nftables)
    return [{ name: scope.name, keys: [...verdict, ...scope.keys] }];
  return (chains.length === 0 ? ["INPUT"] : chains).map((chain) => ({
    name: chain === "INPUT" ? scope.name : `${chain}-${scope.name}`,
    keys: [
      ["enforcer", ipset.name] as const,
      ...verdict,
      ...(chain === "INPUT" ? [] : [["chain", chain] as const]),
      ...scope.keys,
    ],
  }));
}

/** Whether an action is one of fail2ban's own. */
export function isStock(name: string): boolean {
  return stockAction(name) !== null;
}

interface Stock {
  readonly kind: EnforcerKind;
  readonly stock: Fail2banAction;
}

function stockAction(name: string): Stock | null {
  for (const kind of ENFORCER_KINDS) {
    const stock = kind.fail2ban?.find(({ names }) => names.test(name));
    if (stock !== undefined) return { kind, stock };
  }
  return null;
}

/** Reads expanded options; null when empty or still a tag. */
function reader({ call, definition, place }: JailAction, { notes, what }: Conversion) {
  return (option: string): string | null => {
    const say = (fact: string): void => notes.differs(what, `${call.name}: ${option}: ${fact}`, place);
    const text = (
      definition === null ? call.options.get(option) : tried(definition, option, say)?.text
    )?.trim();
    return text === undefined || text === "" || /^<[^<>]*>$/.test(text) ? null : text;
  };
}

/** Chains other than INPUT. */
function chainsOf({ kind, stock }: Stock, option: (name: string) => string | null): readonly string[] {
  if (!stock.names.source.startsWith("^iptables")) return [];
  const chains = (option("chain") ?? "INPUT")
    .split(/[\s,]+/)
    .filter((chain) => /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,30}$/.test(chain));
  return kind === nftables && chains.every((chain) => chain === "INPUT") ? [] : chains;
}

interface Scope {
  readonly name: string;
  readonly keys: readonly Line[];
}

const ALL_TRAFFIC: Scope = { name: "all", keys: [] };

function scopeOf(
  { call, place }: JailAction,
  option: (name: string) => string | null,
  to: Conversion,
): Scope {
  if (call.name.includes("allports") || option("type") === "allports") return ALL_TRAFFIC;
  const { ports, unknown } = readPorts(option("port") ?? "0:65535", to.disk);
  for (const name of unknown)
    to.notes.differs(to.own, `${call.name}: '${name}' is not a known port: left out`, place);
  if (ports.length === 0) return ALL_TRAFFIC;
  const words = (option("protocol") ?? "tcp")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  const protocols = words.filter((word) => /^(?:tcp|udp|sctp|dccp)$/.test(word));
  const isAny = words.some((word) => word === "all" || word === "any");
  for (const word of words)
    if (!protocols.includes(word) && word !== "all" && word !== "any")
      to.notes.differs(to.own, `${call.name}: protocol ${word} has no ports: left out`, place);
  return {
    name: portsName(ports),
    keys: [["ports", ports], ...(isAny || protocols.length === 0 ? [] : [["protocols", protocols] as const])],
  };
}

/** `http-https`, `port-8080`, `smtp-pop3-imap-and-4`. */
function portsName(ports: readonly (number | string)[]): string {
  const shown =
    ports.length > MOST_SHOWN ? [...ports.slice(0, MOST_SHOWN), "and", ports.length - MOST_SHOWN] : ports;
  return `${typeof ports[0] === "string" && /^[a-z]/.test(ports[0]) ? "" : "port-"}${shown.join("-")}`;
}

const MOST_SHOWN = 4;

/** A user's own action as commands that run for each ban; null, with a note, when it cannot be converted. */
export function commandWay({ call, definition, place }: JailAction, { notes, what }: Conversion): Way | null {
  const refuse = (fact: string): null => {
    notes.differs(what, `${call.name}: ${fact}: left out`, place);
    return null;
  };
  if (definition === null)
    return refuse(call.name.endsWith(".py") ? "Python actions are not supported" : "action not found");
  if (definition.isConditional) return refuse("separate options for IPv6 are not supported");
  const scripts = new Map<string, string>();
  for (const option of ["actionban", "actionunban", "actionstart", "actionstop"]) {
    const text = tried(definition, option, (fact) => void refuse(`${option}: ${fact}`))?.text.trim() ?? "";
    const script = text.replaceAll("<ip>", "{address}").replaceAll("<bantime>", "{seconds}");
    const tag = UNKNOWN_TAG.exec(script)?.[0];
    const outside = /^action(?:start|stop)$/.test(option) && /\{(?:address|seconds)\}/.test(script);
    if (tag !== undefined || outside)
      return refuse(`${option} needs ${tag ?? "an address"}, which commands do not get`);
    scripts.set(option, script);
  }
  const run = (option: string): readonly string[] | null => {
    const script = scripts.get(option) ?? "";
    return script === "" ? null : ["/bin/sh", "-c", script];
  };
  const ban = run("actionban");
  if (ban === null) return refuse("no actionban");
  const optional = (key: string, option: string): readonly Line[] => {
    const words = run(option);
    return words === null ? [] : [[key, words]];
  };
  return {
    name: call.name,
    keys: [
      ["enforcer", command.name],
      ["ban", ban],
      ["unban", run("actionunban") ?? ["/bin/true"]],
      ...optional("start", "actionstart"),
      ...optional("stop", "actionstop"),
      ["parallel", 1],
    ],
  };
}

/** fail2ban's tags in commands: `<matches>`, `<F-USER>`. Redirections contain white space or `&`. */
const UNKNOWN_TAG = /<[A-Za-z][\w.-]*(?:\/[\w-]+)?>/;
