import { formatPrefix, parsePrefix } from "../../core/prefix.ts";

export const FORMAT_NAMES = [
  "nginx-deny",
  "nginx-geo",
  "haproxy-acl",
  "haproxy-map",
  "apache-require",
  "apache-map",
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** How a proxy reads banned addresses and networks: one a line, and lines that begin with `#` are comments. */
export interface Format {
  /** A prefix as `formatPrefix` writes it stands between these two. */
  readonly before: string;
  readonly after: string;
  /** Whether a line may name a network. */
  readonly networks: boolean;
  /** Whether the proxy compares each request with every line: then the file has few. */
  readonly isLinear: boolean;
  /** What HAProxy's runtime commands call it; null for other proxies. */
  readonly haproxy: "acl" | "map" | null;
}

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  // ngx_http_access_module: `deny 192.0.2.1;`
  "nginx-deny": { before: "deny ", after: ";", networks: true, isLinear: true, haproxy: null },
  // ngx_http_geo_module: `192.0.2.1 1;` between the braces of a geo block
  "nginx-geo": { before: "", after: " 1;", networks: true, isLinear: false, haproxy: null },
  "haproxy-acl": { before: "", after: "", networks: true, isLinear: false, haproxy: "acl" },
  "haproxy-map": { before: "", after: " 1", networks: true, isLinear: false, haproxy: "map" },
  // mod_authz_host, within RequireAll
  "apache-require": { before: "Require not ip ", after: "", networks: true, isLinear: true, haproxy: null },
  // mod_rewrite: keys of a map `txt:` are compared as text
  "apache-map": { before: "", after: " deny", networks: false, isLinear: false, haproxy: null },
};

/** The file's first line, by which it is known as ours. */
export const HEADER = "# Written by Stoplog, which replaces it with each ban: changes are lost.\n";

/** The file's text, line by line. */
export function* fileText(prefixes: Iterable<string>, { before, after }: Format): Generator<string> {
  yield HEADER;
  for (const prefix of prefixes) yield `${before}${prefix}${after}\n`;
}

/** Prefixes in a file's text, as `formatPrefix` writes them. Other lines are skipped. */
export function readFileText(text: string, { before, after }: Format): readonly string[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith(before) || !line.endsWith(after)) return [];
    const prefix = parsePrefix(line.slice(before.length, line.length - after.length));
    return prefix === null ? [] : formatPrefix(prefix);
  });
}
