/** A configuration with one jail, whose failures are lines `failed login from ADDRESS`, and which bans with nftables. */
export function loginJail(maxretry: number, findtime = "1h"): string {
  return `
state: HOME/state
sources:
  auth: { type: file, path: HOME/auth.log }
targets:
  default: { enforcer: nftables }
jails:
  login:
    sources: [auth]
    filter: { failregex: ['^failed login from <HOST>$'] }
    maxretry: ${maxretry}
    findtime: ${findtime}
    bantime: 1h
    ignoreself: false
`;
}
