import type { Config } from "../../src/config/config.ts";
import { type ConfigReading, type FilterFile, readConfig } from "../../src/config/read-config.ts";

/** A small library of filters. */
const FILTERS: Readonly<Record<string, string>> = {
  sshd: "failregex: ['^Failed for <HOST>$']\ngoodregex: ['^Accepted for <HOST>$']\n",
  nginx: "failregex: ['^<HOST> 401$']\n",
  broken: "failregex:\n  - 'one <HOST>'\n  - 'two <HOSTT>'\nignoregex: []\n",
  torn: "failregex: ['<HOST>'\n",
};

function readFilter(reference: string): FilterFile {
  const text = Object.hasOwn(FILTERS, reference) ? FILTERS[reference] : undefined;
  if (reference === "secret") return { kind: "unreadable", fact: "permission denied" };
  if (text === undefined) return { kind: "missing", known: ["nginx", "sshd"] };
  return { kind: "found", name: reference, path: `filters/${reference}/filter.yaml`, text };
}

export function read(text: string): ConfigReading {
  return readConfig(text, "stoplog.yaml", { readFilter, stateDirectory: "/var/lib/stoplog" });
}

export function good(text: string): Config {
  const { config, errors } = read(text);
  if (config === null) throw new Error(errors.join("\n"));
  return config;
}

export const AUTH = "sources: { auth: { type: file, path: /var/log/auth.log } }\n";

/** A jail sshd with additional keys, which are on line 5 and below, indented by four. */
export function jail(...lines: string[]): string {
  return `${AUTH}jails:\n  sshd:\n    sources: auth\n${lines.map((line) => `    ${line}\n`).join("")}`;
}
