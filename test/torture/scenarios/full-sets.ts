import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { BanReply } from "../../../src/api/wire.ts";
import { Breach, type Opened, type Scenario } from "../scenario.ts";
import { Site } from "../site.ts";

/** Sets of the administrator that are too small for the bans. */
export const fullSets: Scenario = {
  name: "full-sets",
  what: "ban more addresses than a set can hold, unban some: what is listed as enforced cannot send packets, and nothing else is",
  open: async (): Promise<Opened> => {
    const site = await Site.open(YAML);
    site.server.feed(ADMIN, "nft", "-f", "-");
    site.server.run("ipset", "create", "small", "hash:ip", "maxelem", "64", "timeout", "0");
    site.server.run("iptables", "-A", "INPUT", "-m", "set", "--match-set", "small", "src", "-j", "DROP");
    return {
      round: async (random) => {
        writeFileSync(site.home.file("auth.log"), "");
        site.launch();
        await site.started();
        const target = random.pick(["nft", "ipset"]);
        const addresses = Array.from({ length: 100 }, (_, i) => `10.${target === "nft" ? 5 : 6}.0.${i + 1}`);
        await site.command("ban", ...addresses, "--for", "1h", "--target", target);
        await expectListIsPackets(site, random.pick(addresses), random.pick(addresses));
        for (let i = 0; i < 3; i++) {
          const enforced = list(site).filter(({ enforced: is }) => is);
          const room = enforced.slice(0, 1 + random.below(30)).map(({ address }) => address);
          await site.command("unban", ...room);
          await sleep(2500);
          await expectListIsPackets(site, random.pick(addresses), random.pick(addresses));
        }
        const waiting = list(site).filter(({ enforced }) => !enforced).length;
        const all = list(site).length;
        if (waiting > 0 && all <= 64)
          throw new Breach(`${waiting} of ${all} wait although there is room for 64`);
        await site.command("unban", "--all");
        await site.end("SIGTERM");
        return `${target}, ${all} bans at the end`;
      },
      close: () => site.close(),
    };
  },
};

/** `enforced` is false for a ban that the kernel refused. */
type Listed = BanReply & { readonly enforced?: boolean | null };

function list(site: Site): readonly Listed[] {
  return site.bans();
}

async function expectListIsPackets(site: Site, ...samples: readonly string[]): Promise<void> {
  const bans = list(site);
  const chosen = [...samples, ...bans.filter(({ enforced }) => enforced === false).map((ban) => ban.address)];
  for (const address of chosen.slice(0, 5)) {
    const ban = bans.find((one) => one.address === address);
    const passes = await site.passes(address);
    const enforced = ban !== undefined && ban.enforced !== false;
    if (enforced === passes)
      throw new Breach(
        `packets of ${address} ${passes ? "pass" : "do not pass"}, and list says ${JSON.stringify(ban)}`,
      );
  }
}

const ADMIN = `
table inet admin {
  set small { type ipv4_addr; size 64; flags timeout; }
  chain in { type filter hook input priority 0; ip saddr @small drop; }
}
`;

const YAML = `
state: HOME/state
sources:
  auth: { type: file, path: HOME/auth.log }
targets:
  nft: { sets: [inet admin small] }
  ipset: { enforcer: ipset, sets: [small] }
jails:
  login: { sources: [auth], filter: { failregex: ['^failed login from <HOST>$'] }, target: nft }
`;
