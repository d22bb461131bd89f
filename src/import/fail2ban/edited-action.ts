import { basename } from "node:path";
import type { Disk } from "./disk.ts";
import { type Packaged, whyChangedFile } from "./our-filters.ts";
import { type JailAction, tried } from "./read-jails.ts";

/**
 * Why the commands of an action are not those of fail2ban's action of that name; null when they are. Without Debian's checksums, the form of
 * its actionban decides.
 */
export function whyEdited({ call, definition }: JailAction, packaged: Packaged, disk: Disk): string | null {
  const passed = COMMANDS.find((option) => call.options.has(option));
  if (passed !== undefined) return `the jail passes it ${passed}`;
  if (definition === null) return null;
  for (const option of COMMANDS) {
    const file = tried(definition, option, () => undefined)?.file ?? "";
    if (file.endsWith(".local")) return `${basename(file)} sets ${option}`;
  }
  const packagedFiles = definition.files.filter((file) => !file.endsWith(".local"));
  const changed = whyChangedFile(packagedFiles, "action.d", packaged, disk);
  if (changed !== null || packaged.size > 0) return changed;
  const ban = tried(definition, "actionban", () => undefined)?.text.trim() ?? "";
  const form = FORMS.find(({ names }) => names.test(call.name))?.form;
  return ban === "" || form === undefined || form.test(ban) ? null : "its actionban was changed";
}

const COMMANDS = ["actionban", "actionunban", "actionstart", "actionstop"] as const;

/** What fail2ban's own actions run for a ban, their tags filled in. */
const FORMS: readonly { readonly names: RegExp; readonly form: RegExp }[] = [
  {
    names: /^iptables(?:-multiport|-multiport-log|-allports|-new)?$/,
    form: /^\S*iptables\S*(?: [^;|&\n`$]*)? -I \S+(?: 1)? (?:[^;|&\n`$]* )?-s <ip> -j [^;|&\n`$]+$/,
  },
  { names: /^iptables-ipset/, form: /^ipset [^;&|\n`$]*<ip>[^;&|\n`$]*(?:\|\| +ipset [^;|&\n`$]+)?$/ },
  { names: /^nftables/, form: /^\S*nft\S* [^;|&\n`$]*add element [^;|&\n`$]*<ip>[^;|&\n`$]*$/ },
  {
    names: /^(?:firewallcmd-|ufw$|shorewall|apf$)/,
    form: /^(?![^]*(?:\b(?:curl|wget|logger|mail|sendmail|python3?|perl|tee|nc)\b|>\s*\/(?!dev\/null)))[^]*\b(?:firewall-cmd|ipset|ufw|shorewall|apf)\b/,
  },
];
