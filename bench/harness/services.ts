import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { workFolder } from "../corpora/cache.ts";
import { atEnd } from "./leftovers.ts";
import type { Namespace } from "./namespace.ts";
import { environment } from "./program.ts";

export const HTTP_PORT = 8080;
export const SSH_PORT = 2222;

/** Why nginx and sshd cannot run here; null when they can. */
export function missingServices(): string | null {
  const absent = PROGRAMS.find((name) => !existsSync(programOf(name)));
  return absent === undefined ? null : `${absent} is not unpacked in .cache/debian (npm test does it)`;
}

/** Starts Debian's nginx and sshd on loopback of a namespace; the returned function ends them and removes their files. */
export function startServices(space: Namespace): () => void {
  mkdirSync(workFolder, { recursive: true });
  const folder = mkdtempSync(join(workFolder, "services-"));
  const children = [start(space, folder, nginx(folder)), start(space, folder, sshd(folder))];
  return atEnd(() => {
    for (const child of children) child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
}

const PROGRAMS = ["nginx", "sshd"] as const;

function programOf(name: (typeof PROGRAMS)[number]): string {
  return join(unpackedAt(name === "sshd" ? "openssh-server" : name), "usr/sbin", name);
}

function start(space: Namespace, folder: string, command: readonly string[]): ChildProcess {
  const [file = "", ...args] = space.wrap(command);
  const libraries = PROGRAMS.map((name) => join(programOf(name), "../../lib/x86_64-linux-gnu")).join(":");
  return spawn(file, args, {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: folder,
    env: { ...environment(), LD_LIBRARY_PATH: libraries },
  });
}

/** Two workers, as `auto` makes on two processors, and the usual log of requests. */
function nginx(folder: string): readonly string[] {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(" ");
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; user root; worker_processes auto; pid ${folder}/nginx.pid;
events { }
http { access_log ${folder}/access.log combined; ${temporary}
server { listen 127.0.0.1:${HTTP_PORT}; location / { return 200 "hello\\n"; } } }
`,
  );
  return [programOf("nginx"), "-c", file, "-p", folder, "-e", join(folder, "error.log")];
}

/**
 * sshd wants a user of its own and an empty folder in /run: both exist only in the mounts that `ip netns exec` has made for it.
 * Its defaults refuse some connections when ten are open: MaxStartups.
 */
function sshd(folder: string): readonly string[] {
  const key = join(folder, "key");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const passwd = join(folder, "passwd");
  writeFileSync(
    passwd,
    `${readFileSync("/etc/passwd", "utf8")}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`,
  );
  const config = join(folder, "sshd_config");
  writeFileSync(
    config,
    `Port ${SSH_PORT}\nListenAddress 127.0.0.1\nHostKey ${key}\nPidFile none\nUsePAM no\nUseDNS no\nMaxStartups 1000\n`,
  );
  const script =
    'mount --bind "$1" /etc/passwd && mount -t tmpfs none /run && mkdir /run/sshd && exec "$2" -D -e -q -f "$3"';
  return ["/bin/sh", "-c", script, "sh", passwd, programOf("sshd"), config];
}
