/** As Swabber spells them. */
export type Backend = "iptables" | "hostsfile";

/** As in a stoplog.yaml: `5h`, or -1 for permanent. */
export type Bantime = string | -1;

/** Shell commands, in this order, that import Swabber's active bans and then remove them from the firewall. */
export function existingBans(backend: Backend, bantime: Bantime): readonly string[] {
  const { list, remove } = COMMANDS[backend];
  return [
    `Bans made by Swabber stay until they are removed; stop Swabber, start Stoplog, and import them with: ${list} | xargs -r stoplog ban --target swabber --for ${bantime}`,
    `Then remove Swabber's rules or lines with: ${remove}`,
  ];
}

/** Swabber's rules are `-A INPUT -s 192.0.2.1/32 -i eth+ -m comment --comment "swabber:1511000000" -j DROP`, its lines `ALL: 192.0.2.1 #swabber:1511000000`. */
const COMMANDS: Readonly<Record<Backend, { readonly list: string; readonly remove: string }>> = {
  iptables: {
    list: String.raw`iptables -S INPUT | sed -nE 's|^-A INPUT -s ([0-9.]+)/32 .*--comment "?swabber:[0-9]+"? .*-j DROP$|\1|p'`,
    remove: String.raw`iptables -S INPUT | sed -nE 's|^-A (INPUT -s [0-9.]+/32 [-a-zA-Z0-9+. ]*-m comment --comment "?swabber:[0-9]+"? -j DROP)$|iptables -D \1|p' | sh`,
  },
  hostsfile: {
    list: String.raw`sed -nE 's|^ALL: ([0-9.]+) #swabber:[0-9]+$|\1|p' /etc/hosts.deny`,
    remove: String.raw`sed -i -E '/^ALL: [0-9.]+ #swabber:[0-9]+$/d' /etc/hosts.deny`,
  },
};
