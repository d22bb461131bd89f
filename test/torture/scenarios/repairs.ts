import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expectPackets } from "../invariants.ts";
import type { Random } from "../random.ts";
import { Breach, type Opened, type Scenario } from "../scenario.ts";
import { Site } from "../site.ts";

/** Another program changes the firewall. */
export const repairs: Scenario = {
  name: "repairs",
  what: "flush, delete and change what an enforcer wrote: two seconds later no packet of a banned address passes, and those of others do",
  open: async (): Promise<Opened> => {
    const site = await Site.open(YAML);
    for (const program of ["iptables", "ip6tables"])
      site.server.run(program, "-A", "INPUT", "-m", "recent", "--name", "BLOCKER", "--rcheck", "-j", "DROP");
    return {
      round: async (random) => {
        writeFileSync(site.home.file("auth.log"), "");
        site.launch();
        await site.started();
        const { target, faults } = random.pick(KINDS);
        const banned = Array.from({ length: 50 }, (_, i) => `10.1.${random.below(250)}.${i + 1}`);
        await site.command("ban", ...banned, "--for", "1h", "--target", target);
        await expectPackets(site, { banned: banned.slice(0, 3), free: ["10.2.0.1"] });
        const done: string[] = [];
        for (let i = 0; i < 4; i++) {
          const fault = random.pick(faults);
          fault.apply(site, random);
          done.push(fault.name);
          await sleep(WITHIN_MS);
          const samples = [random.pick(banned), random.pick(banned), random.pick(banned)];
          try {
            await expectPackets(site, { banned: samples, free: ["10.2.0.1"] });
          } catch (error) {
            throw error instanceof Breach
              ? new Breach(`${target}, ${done.join(", ")}: ${error.message}`)
              : error;
          }
        }
        const { output } = await site.command("list", "--json");
        if ((JSON.parse(output) as unknown[]).length !== banned.length)
          throw new Breach("list has other bans");
        await site.command("unban", "--all");
        await expectPackets(site, { banned: [], free: banned.slice(0, 3) });
        await site.end("SIGTERM");
        return `${target}: ${done.join(", ")}`;
      },
      close: () => site.close(),
    };
  },
};

interface Fault {
  readonly name: string;
  readonly apply: (site: Site, random: Random) => void;
}

/** Every enforcer is back in force within this time, in ms. */
const WITHIN_MS = 2500;

/** A command of the shell in the server's namespace; its failure is ignored: what it deletes may be missing. */
function shell(name: string, script: string): Fault {
  return { name, apply: (site) => void site.server.run("sh", "-c", `${script} 2>/dev/null; true`) };
}

const FLUSH_IPTABLES = shell("iptables -F", "iptables -F; ip6tables -F");

const KINDS: readonly { readonly target: string; readonly faults: readonly Fault[] }[] = [
  {
    target: "nftables",
    faults: [
      shell("flush ruleset", "nft flush ruleset"),
      shell("delete table", "nft delete table inet stoplog"),
      shell("flush table", "nft flush table inet stoplog"),
      shell(
        "flush sets",
        "for s in $(nft list sets inet | grep -o 'set [^ ]*' | cut -d' ' -f2); do nft flush set inet stoplog $s; done",
      ),
      shell("dormant", "nft 'add table inet stoplog { flags dormant; }'"),
    ],
  },
  {
    target: "ipset",
    faults: [
      FLUSH_IPTABLES,
      shell("ipset flush", "ipset flush"),
      shell(
        "iptables -F and ipset destroy",
        "iptables -F; ip6tables -F; iptables -X; ip6tables -X; ipset destroy",
      ),
      shell(
        "accept first",
        "iptables -D INPUT -s 10.2.0.1 -j ACCEPT; iptables -I INPUT -s 10.2.0.1 -j ACCEPT",
      ),
    ],
  },
  {
    target: "iptables",
    faults: [
      FLUSH_IPTABLES,
      shell("iptables-restore", "iptables-save | grep -v stoplog | iptables-restore"),
      shell(
        "flush our chains",
        "for c in $(iptables -S | grep '^-N stoplog' | cut -d' ' -f2); do iptables -F $c; done",
      ),
      shell(
        "delete a rule",
        "r=$(iptables -S | grep '^-A stoplog' | head -1 | cut -d' ' -f2-); iptables -D $r",
      ),
    ],
  },
  {
    target: "recent",
    faults: [
      shell("clear", "echo / > /proc/net/xt_recent/BLOCKER"),
      {
        name: "remove one",
        apply: (site) => {
          site.server.run(
            "sh",
            "-c",
            "a=$(head -1 /proc/net/xt_recent/BLOCKER | grep -o 'src=[^ ]*' | cut -d= -f2); echo -$a > /proc/net/xt_recent/BLOCKER; true",
          );
        },
      },
    ],
  },
];

const YAML = `
state: HOME/state
sources:
  auth: { type: file, path: HOME/auth.log }
targets:
  nftables: { enforcer: nftables }
  ipset: { enforcer: ipset }
  iptables: { enforcer: iptables }
  recent: { enforcer: recent, list: BLOCKER }
jails:
  login: { sources: [auth], filter: { failregex: ['^failed login from <HOST>$'] }, target: nftables }
`;
