import type { Random } from "../random.ts";
import { guest, port, type Service } from "./service.ts";

/** BIND 9.18: a channel's file, with milliseconds. */
export const named: Service = {
  filter: "named",
  failure(stamp, address, random) {
    const name = random.pick(ZONES);
    return `${stamp.named}.${ms(random)} security: info: client @0x7f${random.hex(8)} ${address}#${port(random)} (${name}): query (cache) '${name}/ANY/IN' denied (allow-query-cache did not match)`;
  },
  noise(stamp, random) {
    const head = `${stamp.named}.${ms(random)} `;
    const name = `www${random.below(50)}.${random.pick(ZONES)}`;
    switch (random.below(3)) {
      case 0:
        return `${head}queries: info: client @0x7f${random.hex(8)} ${guest(random)}#${port(random)} (${name}): query: ${name} IN A +E(0)K (192.0.2.53)`;
      case 1:
        return `${head}lame-servers: info: connection refused resolving '${name}/AAAA/IN': 203.0.113.53#53`;
      default:
        return `${head}general: info: zone ${random.pick(ZONES)}/IN: sending notifies (serial ${random.below(1_000_000)})`;
    }
  },
};

const ZONES = ["example.org", "example.net", "example.com", "isc.example"];

function ms(random: Random): string {
  return String(random.below(1000)).padStart(3, "0");
}
