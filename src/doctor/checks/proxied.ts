import { formatAddress, parseAddress } from "../../core/address.ts";
import { isLocal } from "../../core/special-purpose.ts";
import { file } from "../../source/file/kind.ts";
import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { jailsReading, type Situation, sourcesOf } from "../situation.ts";

/** A service behind a proxy logs the proxy's address for every client. Assumed when all clients in a log have one private address. */
export const proxied: Check = {
  name: "proxied",
  title: "proxies in front of services",
  reports: "all clients at the end of a log (50 or more) have the same private address",
  look(situation) {
    const { host } = situation;
    let looked = 0;
    const found = filesOf(situation).flatMap(({ source, file }) => {
      const clients = clientsIn(host.readEnd(file) ?? "");
      if (clients.count < ENOUGH) return [];
      looked++;
      const [only = ""] = clients.addresses;
      if (clients.addresses.size !== 1 || !isPrivate(only)) return [];
      return [
        advice({
          what: `All of the last ${clients.count} clients in ${file} have the address ${only}: the service appears to be behind a proxy`,
          why: "A ban would hit the proxy, and so every client; the attackers' addresses are not in this log",
          cure: [
            `# nginx: set_real_ip_from ${only}; real_ip_header X-Forwarded-For;`,
            `# Apache: RemoteIPInternalProxy ${only} and RemoteIPHeader X-Forwarded-For (mod_remoteip), %a in its LogFormat`,
            `# or read the proxy's own log instead, and add ${only} to ignoreip`,
            `# source ${source}`,
          ],
        }),
      ];
    });
    return found.length > 0 || looked === 0
      ? found
      : [fine("Logs contain the addresses of clients, not of a proxy")];
  },
};

const ENOUGH = 50;

function filesOf(situation: Situation) {
  return sourcesOf(situation, file).flatMap(({ name, path }) =>
    jailsReading(situation, name).length === 0
      ? []
      : [path]
          .flat()
          .flatMap((glob) => situation.host.find(glob))
          .slice(0, MOST_FILES)
          .map((file) => ({ source: name, file })),
  );
}

/** For each source. */
const MOST_FILES = 64;

function clientsIn(text: string) {
  const addresses = new Set<string>();
  let count = 0;
  for (const line of text.split("\n")) {
    const address = parseAddress(CLIENT.exec(line)?.slice(1).find(Boolean) ?? "");
    if (address === null) continue;
    count++;
    addresses.add(formatAddress(address));
  }
  return { addresses, count };
}

/** An access log's first word, sshd's `from ADDR port`, dovecot's `rip=ADDR`, postfix's `[ADDR]:`. */
const CLIENT =
  /^([0-9a-fA-F.:]{3,45}) \S+ |(?: from ([0-9a-fA-F.:]{3,45}) port \d)|(?:\brip=([0-9a-fA-F.:]{3,45}),)|(?:\[([0-9a-fA-F.:]{3,45})\]: )/;

function isPrivate(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && isLocal(address);
}
