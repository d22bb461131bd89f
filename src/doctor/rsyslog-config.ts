import type { Host } from "./host.ts";

/** The part of rsyslog's configuration that checks need: modules and inputs with their parameters, in both of its languages. Names in lower case. */
export interface RsyslogConfig {
  readonly modules: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The parameters of each input(). */
  readonly inputs: readonly ReadonlyMap<string, string>[];
  /** Directives of the old language, without the dollar: `$SystemLogRateLimitInterval 5`. */
  readonly directives: ReadonlyMap<string, string>;
}

/** Ignores conditions and includes other than rsyslog.d. Null without a configuration. */
export function readRsyslog(host: Host): RsyslogConfig | null {
  const main = host.read("/etc/rsyslog.conf");
  if (main === null) return null;
  const files = host
    .list("/etc/rsyslog.d")
    .filter((name) => name.endsWith(".conf"))
    .map((name) => host.read(`/etc/rsyslog.d/${name}`) ?? "");
  const text = [main, ...files].join("\n").replace(/^\s*#.*$/gm, "");
  const directives = new Map<string, string>();
  const modules = new Map<string, ReadonlyMap<string, string>>();
  for (const [, name = "", value = ""] of text.matchAll(/^\s*\$(\w+)[ \t]+(\S+)/gm)) {
    if (name.toLowerCase() === "modload") modules.set(value.toLowerCase(), new Map());
    else directives.set(name.toLowerCase(), value);
  }
  for (const parameters of statements(text, "module")) {
    const name = parameters.get("load")?.toLowerCase();
    if (name !== undefined) modules.set(name, parameters);
  }
  return { modules, inputs: statements(text, "input"), directives };
}

/** The parameters of each `NAME(key="value" …)`. */
function statements(text: string, name: "module" | "input"): ReadonlyMap<string, string>[] {
  const found = text.matchAll(new RegExp(`\\b${name}\\(([^)]{0,2000})\\)`, "gi"));
  return [...found].map(
    ([, inside = ""]) =>
      new Map(
        [...inside.matchAll(/([\w.]+)\s*=\s*"([^"]*)"/g)].map(([, key = "", value = ""]) => [
          key.toLowerCase(),
          value,
        ]),
      ),
  );
}
