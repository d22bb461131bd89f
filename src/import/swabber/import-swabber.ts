import { hostsDeny, LIMITS as HOSTS_DENY_LIMITS } from "../../enforce/hosts-deny/kind.ts";
import { iptables, LIMITS as IPTABLES_LIMITS } from "../../enforce/iptables/kind.ts";
import { shorten } from "../../schema/shorten.ts";
import type { Tree } from "../../schema/yaml-tree.ts";
import { formatDuration } from "../../core/duration.ts";
import { formatPrefix, parsePrefix } from "../../core/prefix.ts";
import { DAY, SECOND } from "../../core/time.ts";
import { countWords } from "../../core/wording.ts";
import { ForeignConfig, isNothing, shownText, textOf } from "../foreign-config.ts";
import type { Imported } from "../imported.ts";
import { flow, block, type Line, yamlPage } from "../yaml-page.ts";
import { type Backend, type Bantime, existingBans } from "./existing-bans.ts";

/** Converts Swabber's configuration to a stoplog.yaml. Throws a StoplogError when the text cannot be read. */
export function importSwabber(text: string, file: string): Imported {
  const config = new ForeignConfig(text, file);
  const bantime = bantimeOf(config);
  const endpoints = endpointsOf(config);
  const target = targetOf(config);
  const ignored = whitelistOf(config);
  sayUnused(config);
  config.sayUnknown("Swabber");
  const head = `What Swabber does according to ${shorten(file)}, made by 'stoplog import swabber'. Differences were printed on standard error.`;
  const page = yamlPage(head, [
    [
      "sources",
      block(endpoints.length === 0 ? [] : [["swabber", sourceOf(endpoints, bantime)]]),
      "bindstrings",
    ],
    ["targets", block([["swabber", flow(target.keys)]]), "backend and interface"],
    ["origins", block([["swabber", trustOf(bantime)]]), TRUST],
    ...(ignored.length === 0 ? [] : [["ignoreip", ignored, "whitelist"] as const]),
  ]);
  const differences = [...config.differences, ...general(target), ...existingBans(target.backend, bantime)];
  return { text: page, differences };
}

const TOPIC = "swabber_bans";
const DEFAULT_BANTIME = 120;
const DEFAULT_ENDPOINT = "tcp://127.0.0.1:22620";
const DEFAULT_INTERFACE = "eth+";

function bantimeOf(config: ForeignConfig): Bantime {
  const tree = config.get("bantime");
  const text = tree === null ? String(DEFAULT_BANTIME) : (textOf(tree) ?? "");
  const written = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  const isGood = written * SECOND <= MOST;
  if (isGood) return written === 0 ? -1 : formatDuration(written * SECOND);
  const fact = `${shownText(tree)} is not a number of seconds up to 100 years: using the default, ${DEFAULT_BANTIME}`;
  config.differs("bantime", fact, tree?.at ?? 0);
  return formatDuration(DEFAULT_BANTIME * SECOND);
}

const MOST = 100 * 365.25 * DAY;

function endpointsOf(config: ForeignConfig): readonly string[] {
  const [many, one] = [config.get("bindstrings"), config.get("bindstring")];
  if (one !== null) {
    const fact = isNothing(many)
      ? "Swabber before October 2013: its bantime is in minutes, so check the bantime of the result"
      : "ignored: bindstrings is also set";
    config.differs("bindstring", fact, one.at);
  }
  const tree = isNothing(many) ? one : many;
  if (tree === null || isNothing(tree)) return [DEFAULT_ENDPOINT];
  const items = tree.kind === "list" ? tree.items : [tree];
  const found = items.flatMap((item) => endpointOf(config, item) ?? []);
  if (found.length === 0)
    config.differs("bindstrings", "no usable endpoint: no ban orders will arrive", tree.at);
  return [...new Set(found)];
}

function endpointOf(config: ForeignConfig, tree: Tree): string | null {
  const text = (textOf(tree) ?? "").trim();
  if (/^ipc:\/\/\/[!-~]{1,99}$/.test(text)) return text;
  const [, host = "", port = ""] = ENDPOINT.exec(text) ?? [];
  if (host === "" || Number(port) < 1 || Number(port) > 65_535) {
    config.differs(
      "bindstrings",
      `${shownText(tree)} is not tcp://HOST:PORT or ipc:///PATH: left out`,
      tree.at,
    );
    return null;
  }
  if (!/^(?:127\.[\d.]+|localhost|\[::1\])$/.test(host)) {
    const fact = `the server at ${text} can order any ban: Swabber's messages are not authenticated`;
    config.differs("bindstrings", fact, tree.at);
  }
  return text;
}

const ENDPOINT = /^tcp:\/\/([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})$/;

function sourceOf(endpoints: readonly string[], bantime: Bantime) {
  const [only] = endpoints;
  return flow([
    ["type", "zmq"],
    ["connect", endpoints.length === 1 && only !== undefined ? only : endpoints],
    ["topic", TOPIC],
    ["bantime", bantime],
    ["target", "swabber"],
  ]);
}

const TRUST = "Swabber's messages can order bans of single addresses, for bantime";

function trustOf(bantime: Bantime) {
  return flow([
    ["may", "ban"],
    ["longest", bantime],
    ["widest_v4", 32],
    ["widest_v6", 128],
  ]);
}

interface Target {
  readonly backend: Backend;
  readonly keys: readonly Line[];
}

function targetOf(config: ForeignConfig): Target {
  const backend = backendOf(config);
  const incoming = interfaceOf(config);
  if (backend === "hostsfile")
    return {
      backend,
      keys: [
        ["enforcer", hostsDeny.name],
        ["services", "ALL"],
      ],
    };
  const onlyOn: readonly Line[] = incoming === null ? [] : [["interface", incoming]];
  return { backend, keys: [["enforcer", iptables.name], ["chain", "INPUT"], ...onlyOn] };
}

function backendOf(config: ForeignConfig): Backend {
  const tree = config.get("backend");
  const text = tree === null ? "iptables" : textOf(tree);
  if (text === "hostsfile") return text;
  if (text === "iptables")
    config.differs(
      "backend",
      "Swabber's default backend, iptables, did not ban anything (iptables_cmd did): Stoplog bans",
      tree?.at ?? 0,
    );
  else if (text !== "iptables_cmd")
    config.differs(
      "backend",
      `${shownText(tree)} is not a backend of Swabber: using iptables`,
      tree?.at ?? 0,
    );
  return "iptables";
}

/** Null for all interfaces. */
function interfaceOf(config: ForeignConfig): string | null {
  const tree = config.get("interface");
  if (tree === null) return DEFAULT_INTERFACE;
  const text = textOf(tree);
  if (text === null || text === "" || text === "+") return null;
  if (/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,14}$/.test(text)) return text;
  config.differs(
    "interface",
    `${shownText(tree)} is not an interface name: bans apply to all interfaces`,
    tree.at,
  );
  return null;
}

function whitelistOf(config: ForeignConfig): readonly string[] {
  const tree = config.get("whitelist");
  if (tree === null || isNothing(tree)) return [];
  if (tree.kind !== "list") config.differs("whitelist", "not a list: left out", tree.at);
  const items = tree.kind === "list" ? tree.items : [];
  const found = items.flatMap((item) => {
    const prefix = parsePrefix((textOf(item) ?? "").trim());
    if (prefix !== null) return formatPrefix(prefix);
    config.differs("whitelist", `${shownText(item)} is not an address or network: left out`, item.at);
    return [];
  });
  return [...new Set(found)];
}

function sayUnused(config: ForeignConfig): void {
  const polltime = config.get("polltime");
  if (polltime !== null) config.differs("polltime", "bans expire without polling: left out", polltime.at);
  for (const key of ["logpath", "logfile"]) {
    const tree = config.get(key);
    if (tree !== null)
      config.differs(key, "Stoplog logs to standard error, which goes to the journal: left out", tree.at);
  }
}

function general({ backend }: Target): readonly string[] {
  const each =
    backend === "iptables"
      ? `Bans are in a chain of their own, stoplog-swabber, which the first rule of INPUT jumps to, with at most ${countWords(IPTABLES_LIMITS.iptablesRules.value)} per family; for more, set the target's enforcer to ipset or nftables`
      : `Each ban is two lines of /etc/hosts.deny, the first with its end, for at most ${countWords(HOSTS_DENY_LIMITS.hostsDeny.value)} bans`;
  return [
    each,
    "The source of type zmq needs the package zeromq (npm install zeromq)",
    "IPv6 addresses are banned too, which Swabber refused",
    "An order for a banned address restarts its bantime without a gap, and a malformed order does not end the feed",
  ];
}
