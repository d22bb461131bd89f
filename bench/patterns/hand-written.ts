/**
 * Ten patterns as operators write them; together they find every failure of every corpus exactly once. Written in the syntax that
 * Stoplog, grep -E and ripgrep share: no \d, no lazy repeats, no lookaround, groups that capture.
 */
export const HAND_WRITTEN: readonly string[] = [
  String.raw`sshd\[[0-9]+\]: Failed (password|none) for (invalid user )?[^ ]+ from <HOST> port [0-9]+`,
  String.raw`sshd\[[0-9]+\]: maximum authentication attempts exceeded for [^ ]+ from <HOST> port`,
  String.raw`^<HOST> - [^ ]+ \[[^]]+\] "(GET|POST) /(\.env|\.git/config|wp-login\.php|xmlrpc\.php|phpmyadmin/|cgi-bin/)[^"]*" 404 `,
  String.raw`^<HOST> - [^ ]+ \[[^]]+\] "(GET|POST) [^"]*(/etc/passwd|%2e%2e%2f)`,
  String.raw`kernel: .*SYNFLOOD: .*SRC=<HOST> DST=.* SYN URGP=`,
  String.raw`postfix/smtpd\[[0-9]+\]: warning: [^ ]*\[<HOST>\]: SASL [A-Z0-9-]+ authentication failed`,
  String.raw`postfix/smtpd\[[0-9]+\]: NOQUEUE: reject: RCPT from [^ ]*\[<HOST>\]: 554 5\.7\.1 .*Relay access denied`,
  String.raw`dovecot: (imap|pop3)-login: Disconnected.* \(auth failed, [0-9]+ attempts in [0-9]+ secs\): user=<[^>]*>, .*rip=<HOST>, lip=`,
  String.raw`client @0x[0-9a-f]+ <HOST>#[0-9]+ \([^)]*\): query \(cache\) '[^']*' denied`,
  String.raw`client @0x[0-9a-f]+ <HOST>#[0-9]+: zone transfer '[^']*' denied`,
];
