import { dirname } from "node:path";
import type { Limit } from "../../core/limits.ts";
import type { Duration } from "../../core/time.ts";
import type { TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { FORMAT_NAMES, type FormatName, FORMATS } from "./formats.ts";

/** A file of banned addresses and networks that a reverse proxy reads. */
export interface ProxyTarget extends TargetSpec {
  readonly format: FormatName;
  readonly path: string;
  /** The file's permission bits. */
  readonly mode: number;
  /** The program that makes the proxy read the file again; null for a proxy that needs none. */
  readonly reload: readonly string[] | null;
  /** Least time between two reloads. */
  readonly reloadEvery: Duration;
  /** HAProxy's runtime socket, which takes bans instead of a reload. */
  readonly socket: string | null;
  /** Time limit of one reload, and of one answer on the socket. */
  readonly timeout: Duration;
}

export const LIMITS = {
  proxyFile: {
    value: 100_000,
    unit: "bans",
    what: "bans in one file of a proxy",
    full: "as for a set of the kernel",
    counter: "enforcers.*.refused, enforcers.*.notEnforced, enforcers.*.evicted",
    setting: null,
  },
  proxyRules: {
    value: 5000,
    unit: "bans",
    what: "bans in one file of a proxy that compares each request with every line: `nginx-deny` and `apache-require`",
    full: "as for a set of the kernel",
    counter: "enforcers.*.refused, enforcers.*.notEnforced, enforcers.*.evicted",
    setting: null,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export const proxy: EnforcerKind<ProxyTarget> = {
  name: "proxy",
  summary: "A file of banned addresses that nginx, HAProxy or Apache reads.",
  description:
    "For services behind a reverse proxy or a CDN, whose packets do not come from the clients. See [the guide](../guide/proxy.md).",
  options: targetOptions(
    (v) => ({
      format: v.word(FORMAT_NAMES).meta({
        description:
          "How the proxy reads the file. `apache-map` takes single addresses only; the others take networks too.",
        examples: ["nginx-geo"],
      }),
      path: v
        .path("an absolute path")
        .regex(/^[^\x00-\x1f\x7f]+$/, { error: "must not contain control characters" })
        .meta({
          description:
            "The file. Stoplog replaces it at most once a second, in a directory that it can write to.",
          examples: ["/var/lib/stoplog/nginx.geo"],
        }),
      mode: v
        .fileMode()
        .prefault("0644")
        .meta({ description: "The file's permissions.", examples: ["0640"] }),
      reload: v
        .command()
        .optional()
        .meta({
          description:
            "A program and its arguments, without a shell. Runs after the file changed; once more for changes during a run.",
          examples: [["nginx", "-s", "reload"]],
        }),
      reload_every: v
        .duration({ forever: false, years: 1 })
        .prefault("5s")
        .meta({ description: "Least time between two runs of `reload`.", examples: ["30s"] }),
      socket: v
        .path("an absolute path")
        .optional()
        .meta({
          description:
            "HAProxy's runtime socket: bans reach HAProxy at once, without `reload`. It needs `level admin`.",
          examples: ["/run/haproxy/admin.sock"],
        }),
      timeout: v
        .duration({ forever: false, years: 1 })
        .prefault("10s")
        .meta({
          description: "Time limit of one run of `reload`, and of one answer on `socket`.",
          examples: ["30s"],
        }),
    }),
    (values, written): ProxyTarget => {
      const { format, path, mode, reload = null, reload_every: reloadEvery, socket = null, timeout } = values;
      if (socket !== null && FORMATS[format].haproxy === null)
        written.refuse("socket", "needs format haproxy-acl or haproxy-map");
      if (socket !== null) {
        const fact = "cannot be combined with socket: bans reach HAProxy at once";
        for (const key of ["reload", "reload_every"]) written.refuse(key, fact);
      }
      const { name } = written;
      return { name, enforcer: proxy.name, format, path, mode, reload, reloadEvery, socket, timeout };
    },
  ),
  once: false,
  describe({ format, path, reload, socket }) {
    const parts = [
      `${format} in ${path}`,
      ...(reload === null ? [] : [`reload by ${reload.join(" ")}`]),
      ...(socket === null ? [] : [`socket ${socket}`]),
    ];
    const writable = [dirname(path), ...(socket === null ? [] : [socket])];
    return `${parts.join(", ")}; needs write access to ${writable.join(" and ")}`;
  },
  places: ({ path }) => [path],
  needs: ({ path, reload }) => ({
    replaces: [path],
    // Only root may tell a service to reload.
    unit: [...(reload === null ? [] : ["User=root"]), `ReadWritePaths=${dirname(path)}`],
    programs: reload?.[0] === undefined ? [] : [{ program: reload[0], package: null }],
  }),
  keepsOut: () => false,
  unprovable: () => "the proxy refuses requests, and their packets pass",
  singles: ({ format }) => !FORMATS[format].networks,
  limits: LIMITS,
  open: async () => new (await import("./enforcer.ts")).ProxyEnforcer(),
};
