import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import type { FormatName } from "../../src/enforce/proxy/formats.ts";
import { type Namespace, hasProgram } from "./namespace.ts";
import { tryConnect } from "./service.ts";

/** How one of Debian's web servers is set up to refuse the addresses of a file of Stoplog's. */
export interface ProxySetup {
  readonly format: FormatName;
  readonly package: "nginx" | "haproxy" | "apache2-bin";
  /** Its configuration; `FOLDER` is where it keeps everything, `BANNED` the file, and it listens on 127.0.0.1:8080. */
  readonly config: string;
  readonly hasSocket?: true;
}

/** The snippets of docs/guide/proxy.md, in whole configurations. Each takes the client from the last X-Forwarded-For of 127.0.0.1. */
export const PROXY_SETUPS: readonly ProxySetup[] = [
  {
    format: "nginx-deny",
    package: "nginx",
    config: nginx("", "include BANNED;"),
  },
  {
    format: "nginx-geo",
    package: "nginx",
    config: nginx(
      "geo $stoplog_banned { default 0; include BANNED; }",
      "if ($stoplog_banned) { return 403; }",
    ),
  },
  {
    format: "haproxy-acl",
    package: "haproxy",
    config: haproxy("http-request deny if { src -f BANNED }"),
    hasSocket: true,
  },
  {
    format: "haproxy-map",
    package: "haproxy",
    config: haproxy("http-request deny if { src,map_ip(BANNED,0) -m int eq 1 }"),
    hasSocket: true,
  },
  {
    format: "apache-require",
    package: "apache2-bin",
    config: apache("<RequireAll>\nRequire all granted\nInclude BANNED\n</RequireAll>"),
  },
  {
    format: "apache-map",
    package: "apache2-bin",
    config: apache(
      [
        "Require all granted",
        "RewriteEngine On",
        'RewriteCond "${banned:%{REMOTE_ADDR}}" "=deny"',
        'RewriteRule "" "-" [F]',
      ].join("\n"),
      'RewriteMap banned "txt:BANNED"',
    ),
  },
];

/** Why such a server cannot run here; null when it can. */
export function proxyFault({ package: name }: Pick<ProxySetup, "package">): string | null {
  return existsSync(programOf(name)) || hasProgram(PROGRAMS[name])
    ? null
    : `needs ${name}: npm test unpacks it`;
}

/** A web server of Debian's in a namespace, with files in a folder of its own. */
export class WebProxy {
  readonly #setup: ProxySetup;
  readonly #namespace: Namespace;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  /** `folder` is one that every user may enter; the file of banned addresses must be there before `start`. */
  constructor(setup: ProxySetup, namespace: Namespace, folder: string, banned: string) {
    this.#setup = setup;
    this.#namespace = namespace;
    this.#folder = folder;
    mkdirSync(join(folder, "www"), { recursive: true });
    writeFileSync(join(folder, "www/index.html"), "hello\n");
    const config = setup.config
      .replaceAll("FOLDER", folder)
      .replaceAll("BANNED", banned)
      .replaceAll("MODULES", join(unpackedAt("apache2-bin"), "usr/lib/apache2/modules"));
    writeFileSync(this.#config, config);
  }

  /** HAProxy's runtime socket. */
  get socket(): string {
    return join(this.#folder, "admin.sock");
  }

  /** The command that makes it read its files again; null for HAProxy, which is started again instead. */
  get reload(): readonly string[] | null {
    const [program, ...args] = this.#command;
    if (this.#setup.package === "nginx") return [program, ...args, "-s", "reload"];
    // An unpacked Apache finds its libraries only where it is told.
    if (this.#setup.package === "apache2-bin")
      return ["env", `LD_LIBRARY_PATH=${this.#libraries}`, program, ...args, "-k", "graceful"];
    return null;
  }

  async start(): Promise<void> {
    const [program, ...args] = this.#command;
    const foreground = this.#setup.package === "apache2-bin" ? ["-DFOREGROUND"] : [];
    this.#process = this.#namespace.spawn(program, [...args, ...foreground], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, LD_LIBRARY_PATH: this.#libraries },
    });
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.ask("203.0.113.254")) !== null) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${program} does not answer`);
  }

  /** The status of the answer to a client whose address is the last of X-Forwarded-For; null when there is no answer. */
  async ask(client: string, path = "/"): Promise<number | null> {
    const socket = await tryConnect(this.#namespace, "127.0.0.1", 8080);
    if (socket === null) return null;
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.99, ${client}\r\nConnection: close\r\n\r\n`,
    );
    let answer = "";
    try {
      for await (const piece of socket) answer += String(piece);
    } catch {
      return null;
    }
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]) || null;
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("close", resolve));
    running.kill("SIGTERM");
    await ended;
  }

  get #config(): string {
    return join(this.#folder, "proxy.conf");
  }

  get #libraries(): string {
    return ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"]
      .map((folder) => join(unpackedAt(this.#setup.package), folder))
      .join(":");
  }

  get #command(): readonly [string, ...string[]] {
    const program = existsSync(programOf(this.#setup.package))
      ? programOf(this.#setup.package)
      : PROGRAMS[this.#setup.package];
    if (this.#setup.package === "nginx")
      return [program, "-c", this.#config, "-p", this.#folder, "-e", join(this.#folder, "error.log")];
    return [program, "-f", this.#config];
  }
}

const PROGRAMS = { nginx: "nginx", haproxy: "haproxy", "apache2-bin": "apache2" } as const;

function programOf(name: ProxySetup["package"]): string {
  return join(unpackedAt(name), "usr/sbin", PROGRAMS[name]);
}

function nginx(http: string, server: string): string {
  return `
daemon off;
user root;
worker_processes 1;
pid FOLDER/nginx.pid;
events { }
http {
  access_log FOLDER/access.log combined;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxied;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Forwarded-For;
  ${http}
  server {
    listen 127.0.0.1:8080;
    root FOLDER/www;
    index index.html;
    location /private/ { auth_basic private; auth_basic_user_file FOLDER/passwords; }
    ${server}
  }
}
`;
}

function haproxy(rule: string): string {
  return `
global
  stats socket FOLDER/admin.sock mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:8080
  http-request set-src req.hdr_ip(x-forwarded-for,-1) if { src 127.0.0.1 }
  ${rule}
  http-request return status 200 content-type text/plain string hello
`;
}

function apache(directory: string, server = ""): string {
  const modules = ["mpm_event", "authz_core", "authz_host", "remoteip", "rewrite", "dir"];
  return `
ServerRoot FOLDER
ServerName localhost
${modules.map((name) => `LoadModule ${name}_module MODULES/mod_${name}.so`).join("\n")}
Listen 127.0.0.1:8080
PidFile FOLDER/apache.pid
ErrorLog FOLDER/error.log
Mutex file:FOLDER default
User www-data
Group www-data
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
DocumentRoot FOLDER/www
DirectoryIndex index.html
${server}
<Directory FOLDER/www>
${directory}
</Directory>
`;
}
