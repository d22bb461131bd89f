import type { Ban } from "../../core/ban.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { HOUR, MINUTE } from "../../core/time.ts";
import type { Fail2banHost, JailChange, JailFacts } from "./host.ts";

/** A host with the jails sshd and web, of which the first has bans; it notes its orders. */
export class FakeHost implements Fail2banHost {
  readonly version = "9.9.9";
  readonly log: Fail2banHost["log"] = { level: "info", target: "STDERR" };
  readonly done: unknown[] = [];
  reloads = true;
  stopped: readonly string[] = [];
  jail: JailFacts = facts("sshd");
  all: readonly Ban[] = [
    ban("192.0.2.1", "sshd", 1),
    ban("2001:db8::/64", "sshd", 2),
    ban("192.0.2.9", "", 3),
  ];

  jails(): readonly JailFacts[] {
    return [facts("web"), this.jail];
  }

  stoppedJails(): readonly string[] {
    return this.stopped;
  }

  *bansOf(jail: string): Generator<readonly Ban[]> {
    for (const each of this.all.toReversed()) yield each.jail === jail ? [each] : [];
  }

  bansOn(prefix: Parameters<Fail2banHost["bansOn"]>[0]): readonly Ban[] {
    return this.all.filter((each) => formatPrefix(each.prefix) === formatPrefix(prefix));
  }

  async ban(addresses: readonly string[], jail: string): ReturnType<Fail2banHost["ban"]> {
    this.done.push({ ban: addresses, jail });
    return {
      results: addresses.map((address) => ({
        address,
        outcome: address === "127.0.0.1" ? ("refused" as const) : ("banned" as const),
        detail: `Cannot ban ${address}: it is an own address`,
      })),
    } as Awaited<ReturnType<Fail2banHost["ban"]>>;
  }

  async unban(addresses: readonly string[], jail: string | null): ReturnType<Fail2banHost["unban"]> {
    this.done.push({ unban: addresses, jail });
    const results = addresses.map((address) => ({
      address,
      outcome: this.all.some((each) => formatPrefix(each.prefix) === address)
        ? ("lifted" as const)
        : ("not banned" as const),
      detail: "",
    }));
    return { lifted: results.filter(({ outcome }) => outcome === "lifted").length, results };
  }

  async unbanAll(jail: string | null): Promise<number> {
    this.done.push({ unbanAll: jail });
    return 2;
  }

  async change(jail: string, change: JailChange): Promise<void> {
    this.done.push({ change: jail, ...change });
    this.jail = { ...this.jail, ...change };
  }

  async reload(): ReturnType<Fail2banHost["reload"]> {
    this.done.push("reload");
    return { reloaded: this.reloads, sentences: ["stoplog.yaml:3:1: bad"] };
  }
}

function facts(name: string): JailFacts {
  return {
    name,
    maxretry: 5,
    findtime: 10 * MINUTE,
    bantime: HOUR,
    growth: null,
    failregex: ["^a <HOST>$", "^b <HOST>$"],
    ignoreregex: [],
    prefregex: "",
    datepattern: null,
    usedns: false,
    ignoreip: [network("127.0.0.0/8")],
    ignoreSelf: true,
    files: name === "sshd" ? ["/var/log/auth.log"] : [],
    journal: name === "sshd" ? [] : [["_SYSTEMD_UNIT=web.service"], ["_COMM=web"]],
    targets: ["default"],
    currentlyFailed: 3,
    totalFailed: 40,
    currentlyBanned: 2,
    totalBanned: 7,
  };
}

function ban(text: string, jail: string, minute: number): Ban {
  const since = Date.UTC(2026, 10, 20, 12) + minute * MINUTE;
  const until = since + HOUR;
  return { prefix: network(text), target: "default", jail, reason: "", since, until, origin: "local" };
}

function network(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`${text} is not a network`);
  return prefix;
}
