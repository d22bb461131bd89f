import { dirname, isAbsolute } from "node:path";
import type { Limit } from "../../core/limits.ts";
import type { TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";

/** Lines in a file that tcp_wrappers read. */
export interface HostsDenyTarget extends TargetSpec {
  readonly path: string;
  /** A list of services as in hosts_access(5), such as `ALL` or `sshd, vsftpd`. */
  readonly services: string;
}

const SERVICES = /^[A-Za-z0-9_.@-]+(?:[ ,]+[A-Za-z0-9_.@-]+)*$/;
const DEFAULT_PATH = "/etc/hosts.deny";

export const LIMITS = {
  hostsDeny: {
    value: 20_000,
    unit: "bans",
    what: "bans in one file of tcp_wrappers, which services read for each connection",
    full: "as for a set of the kernel",
    counter: "enforcers.*.refused, enforcers.*.notEnforced, enforcers.*.evicted",
    setting: null,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export const hostsDeny: EnforcerKind<HostsDenyTarget> = {
  name: "hosts.deny",
  summary: "Lines in a file for services that use tcp_wrappers.",
  description: "Not a firewall: services that read hosts.deny refuse banned addresses.",
  options: targetOptions(
    (v) => ({
      path: v
        .path("an absolute path")
        .default(DEFAULT_PATH)
        .meta({ description: "The file.", examples: [DEFAULT_PATH] }),
      services: v
        .text("a list of services")
        .regex(SERVICES, { error: "must be a list of services such as ALL or sshd, vsftpd" })
        .default("ALL")
        .meta({ description: "The services, before the colon.", examples: ["sshd"] }),
    }),
    ({ path, services }, { name }): HostsDenyTarget => ({ name, enforcer: hostsDeny.name, path, services }),
  ),
  once: true,
  describe: ({ services, path }) => `${services} in ${path}`,
  places: ({ path }) => [path],
  needs: ({ path }) => ({
    root: true,
    replaces: [path],
    unit: ["User=root", `ReadWritePaths=${dirname(path)}`],
  }),
  keepsOut: () => false,
  unprovable: () => "services accept the connection and close it themselves",
  gaps: ({ name }) => [
    {
      traffic: "containers",
      what: `Target ${name} bans in a file of tcp_wrappers`,
      why: "Services in containers have a file of their own and never see this one",
      cure: [`# in the configuration: ${name}: { enforcer: nftables }`],
    },
  ],
  fail2ban: [
    {
      names: /^hostsdeny$/,
      target({ option, note }) {
        const services = option("daemon_list") ?? "ALL";
        const path = option("file") ?? DEFAULT_PATH;
        const isList = SERVICES.test(services);
        if (!isList) note(`'${services}' is not a list of services: ALL was written instead`);
        return {
          name: "hosts-deny",
          keys: [
            ...(path === DEFAULT_PATH || !isAbsolute(path) ? [] : [["path", path] as const]),
            ...(isList && services !== "ALL" ? [["services", services] as const] : []),
          ],
        };
      },
    },
  ],
  limits: LIMITS,
  open: async () => new (await import("./enforcer.ts")).HostsDenyEnforcer(),
};
