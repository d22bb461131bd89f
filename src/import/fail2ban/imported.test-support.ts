import { expect } from "vitest";
import { parse } from "yaml";
import { findFilter } from "../../config/find-filter.ts";
import { readConfig } from "../../config/read-config.ts";
import { diskOf } from "./disk.test-support.ts";
import { importFail2ban } from "./import-fail2ban.ts";

export interface Page {
  readonly sources: Record<string, Record<string, unknown>>;
  readonly targets: Record<string, unknown>;
  readonly defaults: Record<string, unknown>;
  readonly jails: Record<string, Record<string, unknown>>;
  readonly notify?: Record<string, unknown>;
}

/** A Friday in November. */
export const NOW = Date.parse("2026-11-20T15:00:00Z");

export type Files = Readonly<Record<string, string>>;

/** Paths are relative to /f unless they begin with a slash. */
export function imported(files: Files): { page: Page; text: string; said: readonly string[] } {
  const all = Object.entries(files).map(([path, text]) => [path.startsWith("/") ? path : `/f/${path}`, text]);
  const { text, differences } = importFail2ban("/f/", diskOf(Object.fromEntries(all) as Files), NOW);
  const { errors } = readConfig(text, "stoplog.yaml", {
    readFilter: (name) => findFilter(name),
    stateDirectory: null,
  });
  expect(errors).toEqual([]);
  return { page: parse(text) as Page, text, said: differences };
}

export const ACTIONS: Files = {
  "action.d/iptables-multiport.conf": "[INCLUDES]\nbefore = iptables.conf\n[Definition]\ntype = multiport\n",
  "action.d/iptables.conf":
    "[Definition]\nactionban = iptables -I <name> -s <ip> -j <blocktype>\n[Init]\nchain = INPUT\nblocktype = REJECT\n[Init?family=inet6]\nblocktype = REJECT6\n",
};

export const JAILS: Files = {
  ...ACTIONS,
  "jail.conf": `
[INCLUDES]
before = paths.conf

[DEFAULT]
bantime = 10m
maxretry = 5
findtime = 10m
chain = <known/chain>
port = 0:65535
protocol = tcp
banaction = iptables-multiport
action_ = %(banaction)s[port="%(port)s", protocol="%(protocol)s", chain="%(chain)s"]
action = %(action_)s
mode = normal
filter = %(__name__)s[mode=%(mode)s]
enabled = false

[door]
port = 8080,ssh
logpath = %(door_log)s
maxretry = 3

[asleep]
logpath = /var/log/asleep.log
`,
  "paths.conf": "[DEFAULT]\ndoor_log = /var/log/doors/*.log\n",
  "jail.local": "[door]\nenabled = yes\n",
  "filter.d/door.conf": `
[INCLUDES]
before = own.conf
[Definition]
failregex = ^<prefix>no key for <HOST><suffix-<mode>>$
            ^<prefix>wrong key from <HOST>$
ignoreregex = from 192\\.0\\.2\\.9
suffix-normal =
suffix-stern = !
[Init]
prefix = %(base)s door:\\s
`,
  "filter.d/own.conf": "[DEFAULT]\nbase = \\s*\\S+\n",
};
