import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { packageRoot } from "../../src/config/package-root.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { attempt, Listener } from "../support/packets.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { eventually } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (["unshare", "setpriv", "chroot"].every(hasProgram) ? null : "needs unshare, setpriv and chroot");

const container = join(packageRoot(), "packaging/container");

/**
 * What a container engine does with the image and the compose file: what collect.sh copies, above this machine's own system as the base, is a
 * read-only root; the network is the host's, here a namespace of the test's; of root's capabilities two are left.
 *
 * Arguments: the checkout, the folder that is mounted at the same place, `stoplog`'s arguments.
 */
const ENGINE = `
set -e
checkout=$1 home=$2
shift 2
mount -t tmpfs stage "$home/stage"
mkdir "$home/stage/checkout" "$home/stage/image" "$home/stage/root"
cd "$checkout"
cp -a bin dist filters package.json LICENSE "$home/stage/checkout/"
mkdir "$home/stage/checkout/node_modules"
cp -a node_modules/koffi node_modules/@koromix "$home/stage/checkout/node_modules/"
sh packaging/container/collect.sh "$home/stage/checkout" "$home/stage/image"
cd /
root=$home/stage/root
mount -t overlay image -o "lowerdir=$home/stage/image:/" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmp "$root/tmp"
mount -t tmpfs run "$root/run"
mkdir "$root/run/stoplog"
mkdir -p "$root$home"
mount --bind "$home" "$root$home"
exec chroot "$root" setpriv --bounding-set=-all,+net_admin,+dac_read_search --inh-caps=-all --no-new-privs \\
  env STATE_DIRECTORY="$home/state" sh -c 'touch /usr/written 2>&1; exec stoplog "$@"' stoplog "$@"
`;

describe.skipIf(fault !== null)(titled("Stoplog as a container", fault), () => {
  const { server, attacker } = useServerAndAttacker();
  const home = new Home();
  let daemon: RunningDaemon;
  let listener: Listener;

  const start = (): Promise<RunningDaemon> =>
    RunningDaemon.start(home, server, {
      command: ["unshare", "--mount", "sh", "-c", ENGINE, "engine", packageRoot(), home.path],
    });
  const reach = (): Promise<string> => attempt(attacker, "192.0.2.1", 22);

  beforeAll(async () => {
    for (const folder of ["stage", "state"]) mkdirSync(home.file(folder));
    writeFileSync(home.file("log"), "");
    // Of another user, and readable by that one only: DAC_READ_SEARCH reads it.
    chmodSync(home.file("log"), 0o600);
    home.configure(`
sources: { log: { type: file, path: HOME/log } }
jails: { door: { sources: log, filter: { failregex: ['refused <HOST>$'] }, maxretry: 2 } }
`);
    listener = await Listener.open(server, 22);
    daemon = await start();
  });
  afterAll(async () => {
    await daemon.end();
    listener.close();
    home.remove();
  });

  it("bans with packets, with a root that is read-only and two capabilities", async () => {
    expect(daemon.log).toContain("cannot touch '/usr/written': Read-only file system");
    await eventually(async () => expect(await reach()).toBe("connected"));
    appendFileSync(home.file("log"), "refused 192.0.2.66\nrefused 192.0.2.66\n");
    await eventually(async () => expect(daemon.banned()).toEqual(["192.0.2.66"]));
    await eventually(async () => expect(await reach()).toBe("silence"));
    expect(daemon.status()).toMatchObject({ state: "healthy", troubles: [] });
  });

  it("keeps its bans over a new container", async () => {
    await daemon.end();
    expect(await reach()).toBe("silence");
    daemon = await start();
    expect(daemon.banned()).toEqual(["192.0.2.66"]);
    expect(await reach()).toBe("silence");
  });

  it("has the same rights and places in the compose file and for Kubernetes, and a configuration that works", () => {
    const compose = readFileSync(join(container, "compose.yaml"), "utf8");
    const cluster = readFileSync(join(container, "daemonset.yaml"), "utf8");
    for (const text of [compose, cluster]) {
      expect(text).toContain("[NET_ADMIN, DAC_READ_SEARCH]");
      for (const place of ["/etc/stoplog", "/var/log", "/var/lib/stoplog", "/run/stoplog"])
        expect(text).toContain(place);
    }
    const [map] = parseAllDocuments(cluster).map(
      (document) => document.toJS() as { data: Record<string, string> },
    );
    const config = home.file("daemonset.yaml");
    writeFileSync(config, map?.data["stoplog.yaml"] ?? "");
    const checked = spawnSync(join(packageRoot(), "bin/stoplog"), ["check", "-c", config], {
      encoding: "utf8",
    });
    expect([checked.status, checked.stdout]).toEqual([0, expect.stringContaining("probes")]);
  });
});
