/**
 * Typical lines of logs, from ordinary days and ordinary attacks. Only the frequencies of their four-byte groups matter: until the real
 * traffic is known, each pattern is searched for by its literal that is rarest here.
 */
export const TYPICAL_TRAFFIC = `
Nov 20 14:44:48 server sshd[12345]: Accepted publickey for root from 192.0.2.10 port 50122 ssh2: ED25519 SHA256:x
Nov 20 14:44:48 server sshd[12345]: pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)
Nov 20 14:44:49 server sshd[12346]: Connection closed by authenticating user root 192.0.2.11 port 40000 [preauth]
Nov 20 14:44:49 server sshd[12346]: Received disconnect from 192.0.2.11 port 40000:11: Bye Bye [preauth]
Nov 20 14:44:49 server sshd[12346]: Disconnected from authenticating user root 192.0.2.11 port 40000 [preauth]
Nov 20 14:44:50 server sshd[12347]: Failed password for root from 192.0.2.12 port 41000 ssh2
Nov 20 14:44:50 server sshd[12347]: Failed password for invalid user admin from 192.0.2.12 port 41000 ssh2
Nov 20 14:44:50 server sshd[12347]: Invalid user admin from 192.0.2.12 port 41000
Nov 20 14:45:01 server CRON[12348]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)
Nov 20 14:45:01 server CRON[12349]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)
Nov 20 14:45:01 server CRON[12348]: pam_unix(cron:session): session closed for user root
Nov 20 14:45:02 server systemd[1]: Started session-1234.scope - Session 1234 of User root.
Nov 20 14:45:02 server systemd[1]: Starting apt-daily.service - Daily apt download activities...
Nov 20 14:45:02 server systemd-logind[700]: New session 1234 of user root.
Nov 20 14:45:02 server systemd-logind[700]: Session 1234 logged out. Waiting for processes to exit.
Nov 20 14:45:03 server kernel: [12345.678901] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=192.0.2.13 DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=51 ID=54321 DF PROTO=TCP SPT=40000 DPT=443 WINDOW=29200 RES=0x00 SYN URGP=0
Nov 20 14:45:03 server kernel: [12345.678902] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC=192.0.2.14 DST=198.51.100.1 LEN=40 TOS=0x00 PREC=0x00 TTL=240 ID=1 PROTO=UDP SPT=53 DPT=123 LEN=20
2026-11-20T14:45:04.123456+01:00 mail postfix/smtpd[2001]: connect from unknown[192.0.2.15]
2026-11-20T14:45:04.123456+01:00 mail postfix/smtpd[2001]: NOQUEUE: reject: RCPT from unknown[192.0.2.15]: 554 5.7.1 Relay access denied; from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<x>
2026-11-20T14:45:04.123456+01:00 mail postfix/smtpd[2001]: lost connection after AUTH from unknown[192.0.2.15]
2026-11-20T14:45:04.123456+01:00 mail postfix/smtpd[2001]: warning: unknown[192.0.2.15]: SASL LOGIN authentication failed: authentication failure
2026-11-20T14:45:04.123456+01:00 mail postfix/smtpd[2001]: disconnect from unknown[192.0.2.15] ehlo=1 auth=0/1 quit=1 commands=2/3
2026-11-20T14:45:05.123456+01:00 mail postfix/cleanup[2002]: 1A2B3C4D5E: message-id=<20261120144505.1A2B3C@example.com>
2026-11-20T14:45:05.123456+01:00 mail postfix/qmgr[2003]: 1A2B3C4D5E: from=<a@example.com>, size=1234, nrcpt=1 (queue active)
2026-11-20T14:45:05.123456+01:00 mail postfix/smtp[2004]: 1A2B3C4D5E: to=<b@example.org>, relay=mx.example.org[198.51.100.2]:25, delay=1.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5E4D3C2B1A)
2026-11-20T14:45:06.123456+01:00 mail dovecot: imap-login: Login: user=<a@example.com>, method=PLAIN, rip=192.0.2.16, lip=198.51.100.3, mpid=2005, TLS, session=<abcdefghijklmnop>
2026-11-20T14:45:06.123456+01:00 mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<b@example.com>, method=PLAIN, rip=192.0.2.17, lip=198.51.100.3, TLS, session=<abcdefghijklmnop>
2026-11-20T14:45:06.123456+01:00 mail dovecot: imap(a@example.com)<2005><abcdefghijklmnop>: Logged out in=123 out=4567 deleted=0 expunged=0
20-Nov-2026 14:45:07.123 queries: info: client @0x7f0000000000 192.0.2.18#40000 (www.example.com): query: www.example.com IN A +E(0)K (198.51.100.4)
20-Nov-2026 14:45:07.123 security: info: client @0x7f0000000000 192.0.2.18#40000 (example.org): query (cache) 'example.org/ANY/IN' denied
192.0.2.19 - - [20/Nov/2026:14:45:08 +0000] "GET / HTTP/1.1" 200 1234 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
192.0.2.19 - - [20/Nov/2026:14:45:08 +0000] "GET /static/css/main.css HTTP/2.0" 304 0 "https://www.example.com/" "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"
192.0.2.20 - - [20/Nov/2026:14:45:09 +0000] "POST /wp-login.php HTTP/1.1" 200 5678 "-" "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X)"
192.0.2.21 - - [20/Nov/2026:14:45:09 +0000] "GET /.env HTTP/1.1" 404 162 "-" "curl/7.88.1"
2026/11/20 14:45:10 [error] 4001#4001: *123456 open() "/var/www/html/favicon.ico" failed (2: No such file or directory), client: 192.0.2.22, server: www.example.com, request: "GET /favicon.ico HTTP/1.1", host: "www.example.com"
[Fri Nov 20 14:45:11.123456 2026] [core:info] [pid 5001:tid 139900000000000] [client 192.0.2.23:40000] AH00128: File does not exist: /var/www/html/index.php
`;
