import * as written from "./log-writers.ts";

/** What a client chooses in its requests, as it sends it: bytes of any value. The URL's query holds no blank, and the method is a word. */
export interface Request {
  readonly method: string;
  readonly user: string;
  readonly query: string;
  readonly referer: string;
  readonly agent: string;
}

/** A service that writes a client's request, or log-in, into its log. */
export interface Service {
  readonly name: string;
  readonly filter: string;
  /** The longest field of a request in bytes. */
  readonly longest: number;
  /** The address comes after a field that is so long that its writer can cut the line before it. */
  readonly losesAddress?: true;
  /** What is written to the log, with its line ends. */
  readonly write: (request: Request) => string;
}

export const CLIENT = "192.0.2.77";
export const AT = "20/Nov/2026:14:44:48 +0000";

type Written = Readonly<Record<keyof Request, string>>;

/** Escapes every field in the same way. */
const escaped =
  (escape: (text: string) => string, write: (fields: Written) => string) =>
  ({ method, user, query, referer, agent }: Request): string =>
    write({
      method,
      user: escape(user),
      query: escape(query),
      referer: escape(referer),
      agent: escape(agent),
    });

const combined =
  (start: string, status: number) =>
  ({ method, user, query, referer, agent }: Written): string =>
    `${CLIENT} - ${user} [${AT}] "${start.replace("GET", method)}${query} HTTP/1.1" ${status} 196 "${referer}" "${agent}"\n`;

const nginx = (write: (fields: Written) => string) => escaped(written.byNginx, write);
const httpd = (write: (fields: Written) => string) => escaped(written.byHttpd, write);
const json = (write: (fields: Written) => string) => escaped(written.byJson, write);

/** Traefik's JSON: logrus sorts the keys. */
const traefik = (status: number, start: string) =>
  json(
    ({ method, user, query, referer, agent }) =>
      `{"ClientAddr":"${CLIENT}:54321","ClientHost":"${CLIENT}","ClientPort":"54321","ClientUsername":"u${user}","DownstreamContentSize":17,"DownstreamStatus":${status},"Duration":61302111,"RequestAddr":"www.example.org","RequestHost":"www.example.org","RequestMethod":"${method}","RequestPath":"${start}?${query}","RequestProtocol":"HTTP/1.1","StartUTC":"2026-11-20T14:44:48.123456789Z","level":"info","msg":"","request_Referer":"${referer}","request_User-Agent":"${agent}","time":"2026-11-20T14:44:48Z"}\n`,
  );

/** Traefik's format 'common' escapes nothing. A name with a line end can forge lines (see the filter), so here it has none. */
const traefikCommon =
  (status: number, start: string) =>
  ({ method, user, query, referer, agent }: Request): string =>
    `${CLIENT} - u${user.replaceAll("\n", "?")} [${AT}] "${method} ${start}?${written.byGoUri(query)} HTTP/1.1" ${status} 17 "${written.inHeader(referer)}" "${written.inHeader(agent)}" 7 "admin@docker" "-" 61ms\n`;

/** HAProxy's httplog through rsyslogd, with both headers captured. HAProxy cuts a line at 1024 bytes. */
const haproxy = (status: string, state: string) =>
  escaped(written.byHaproxy, ({ method, query, referer, agent }) => {
    const line = `${CLIENT}:54321 [20/Nov/2026:14:44:48.123] http-in~ web/srv1 0/0/1/7/8 ${status} 195 - - ${state} 1/1/0/0/0 0/0 {${referer}|${agent}} "${method} /x?${query} HTTP/1.1"`;
    return written.byRsyslogd("haproxy[1234]", line.slice(0, 1023));
  });

const gitlab = (message: string) =>
  json(
    ({ user }) =>
      `{"severity":"INFO","time":"2026-11-20T14:44:48.123Z","correlation_id":"01JD4Y7Z3M5R9V0W1X2Y3Z4A5B","meta.caller_id":"SessionsController#create","meta.remote_ip":"${CLIENT}","message":"${message.replace("USER", () => user)}"}\n`,
  );

export const SERVICES: readonly Service[] = [
  { name: "nginx, a scan", filter: "nginx-scan", longest: 6000, write: nginx(combined("GET /.env?", 404)) },
  {
    name: "nginx, a log-in",
    filter: "nginx-auth",
    longest: 6000,
    write: nginx((r) => combined("GET /?", 401)({ ...r, user: `u${r.user}` })),
  },
  {
    name: "nginx, a tool",
    filter: "nginx-bot",
    longest: 6000,
    write: nginx((r) => combined("GET /?", 200)({ ...r, agent: `sqlmap/1.7 ${r.agent}` })),
  },
  {
    name: "nginx, WordPress",
    filter: "wordpress-access",
    longest: 6000,
    write: nginx(combined("POST /xmlrpc.php?", 200)),
  },
  {
    name: "nginx's error log",
    filter: "nginx",
    longest: 6000,
    losesAddress: true,
    // The name ends at the password's colon. A message is cut at 2047 bytes.
    write: ({ user, query }) =>
      `${`2026/11/20 14:44:48 [error] 7#7: *1 user "${user.replaceAll(":", "")}" was not found in "/etc/nginx/htpasswd", client: ${CLIENT}, server: x, request: "GET /?${written.byGoUri(query)} HTTP/1.1", host: "x"`.slice(0, 2047)}\n`,
  },
  {
    name: "nginx Proxy Manager",
    filter: "nginx-proxy-manager",
    longest: 6000,
    write: nginx(
      ({ method, query, referer, agent }) =>
        `[${AT}] - 404 404 - ${method} https www.example.org "/wp-login.php?${query}" [Client ${CLIENT}] [Length 552] [Gzip -] [Sent-to 10.0.0.2] "${agent}" "${referer}"\n`,
    ),
  },
  {
    name: "nginx with escape=json, a log-in",
    filter: "json-http",
    // Of longer lines with many kinds of text the work can be too much, with automata that are new: sources.*.givenUp.
    longest: 1500,
    write: escaped(
      written.byNginxJson,
      ({ method, user, query, referer, agent }) =>
        `{"time":"2026-11-20T14:44:48+00:00","remote_user":"${user}","request":"${method} /?${query} HTTP/1.1","referer":"${referer}","agent":"${agent}","remote_addr":"${CLIENT}","status":401}\n`,
    ),
  },
  {
    name: "nginx with escape=json, a scan",
    filter: "json-http",
    longest: 1500,
    write: escaped(
      written.byNginxJson,
      ({ user, query, referer, agent }) =>
        `{"time":"2026-11-20T14:44:48+00:00","remote_addr":"${CLIENT}","remote_user":"${user}","referer":"${referer}","agent":"${agent}","uri":"/.env?${query}","status":404}\n`,
    ),
  },
  { name: "httpd, a scan", filter: "apache-scan", longest: 6000, write: httpd(combined("GET /.env?", 404)) },
  {
    name: "httpd, a tool",
    filter: "apache-bot",
    longest: 6000,
    write: httpd((r) => combined("GET /?", 200)({ ...r, agent: `sqlmap/1.7 ${r.agent}` })),
  },
  {
    name: "httpd, a wrong password",
    filter: "apache-auth",
    longest: 6000,
    write: httpd(
      ({ user, query, referer }) =>
        // Its error log is cut at 8192 bytes.
        `${`[Fri Nov 20 14:44:48.123456 2026] [auth_basic:error] [pid 1234:tid 1235] [client ${CLIENT}:54321] AH01618: user ${user} not found: /?${query}, referer: ${referer}`.slice(0, 8191)}\n`,
    ),
  },
  {
    name: "Nextcloud",
    filter: "nextcloud",
    longest: 8000,
    write: json(
      ({ user, query, agent }) =>
        `{"reqId":"Zx1","level":2,"time":"2026-11-20T14:44:48+00:00","remoteAddr":"${CLIENT}","user":"--","app":"core","method":"POST","url":"/login?${query}","message":"Login failed: ${user} (Remote IP: ${CLIENT})","userAgent":"${agent}","version":"30.0.0.14","data":{"app":"core"}}\n`,
    ),
  },
  {
    name: "Caddy",
    filter: "caddy",
    // Three such fields, every byte escaped as six, are the longest that max_line holds. See the filter.
    longest: 6500,
    write: json(
      ({ query, referer, agent }) =>
        `{"level":"info","ts":1763649888.123,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"${CLIENT}","remote_port":"40000","client_ip":"${CLIENT}","proto":"HTTP/1.1","method":"GET","host":"example.org","uri":"/x?${query}","headers":{"User-Agent":["${agent}"],"Authorization":[],"Referer":["${referer}"]}},"bytes_read":0,"user_id":"","duration":0.0001,"size":0,"status":401,"resp_headers":{"Server":["Caddy"]}}\n`,
    ),
  },
  { name: "Traefik, a log-in", filter: "traefik", longest: 8000, write: traefik(401, "/admin") },
  { name: "Traefik, a scan", filter: "traefik", longest: 8000, write: traefik(404, "/wp-login.php") },
  {
    name: "Traefik's format common, a log-in",
    filter: "traefik",
    longest: 8000,
    write: traefikCommon(401, "/admin"),
  },
  {
    name: "Traefik's format common, a scan",
    filter: "traefik",
    longest: 8000,
    write: traefikCommon(404, "/.env"),
  },
  { name: "HAProxy, a log-in", filter: "haproxy", longest: 6000, write: haproxy("401", "----") },
  { name: "HAProxy, a refusal", filter: "haproxy", longest: 6000, write: haproxy("403", "PR--") },
  {
    name: "GitLab",
    filter: "gitlab",
    longest: 16_000,
    write: gitlab(`Failed Login: username=USER ip=${CLIENT}`),
  },
  {
    name: "Gitea's access log",
    filter: "gitea",
    longest: 16_000,
    write: ({ query, referer, agent }) =>
      `${CLIENT} - - [${AT}] "POST /user/login?${written.byGoUri(query)} HTTP/1.1" 200 9876 "${written.inHeader(referer)}" "${written.inHeader(agent)}"\n`,
  },
  {
    name: "Vaultwarden through rsyslogd",
    filter: "vaultwarden",
    longest: 16_000,
    write: ({ user }) =>
      written.byRsyslogd(
        "vaultwarden[1]",
        `[2026-11-20 14:44:48.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: ${CLIENT}. Username: ${user}.`,
      ),
  },
  {
    name: "phpMyAdmin through rsyslogd",
    filter: "phpmyadmin",
    longest: 9000,
    losesAddress: true,
    write: ({ user }) =>
      written.byRsyslogd("phpMyAdmin[1]", `user denied: ${user} (mysql-denied) from ${CLIENT}`),
  },
  {
    name: "Dovecot through rsyslogd",
    filter: "dovecot",
    longest: 16_000,
    write: ({ user }) =>
      written.byRsyslogd(
        "dovecot",
        `imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<${written.byDovecot(user)}>, method=PLAIN, rip=${CLIENT}, lip=203.0.113.9, TLS, session=<abcDEF123+/4>`,
      ),
  },
  {
    name: "Dovecot, a log file of its own",
    filter: "dovecot",
    longest: 16_000,
    write: ({ user }) =>
      `Nov 20 14:44:48 imap-login: Info: Login aborted: Logged out (auth failed, 1 attempts in 2 secs) (auth_failed): user=<${written.byDovecot(user)}>, method=PLAIN, rip=${CLIENT}, lip=203.0.113.9\n`,
  },
];
