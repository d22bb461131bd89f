import { describe, expect, it } from "vitest";
import {
  ALL,
  NET_ADMIN,
  NONE,
  processFiles,
  say,
  sentences,
  SSHD,
  statusFile,
} from "../../../test/support/doctor-machine.ts";
import { containers } from "./containers.ts";
import { ipv6 } from "./ipv6.ts";
import { kernel } from "./kernel.ts";
import { otherBanners } from "./other-banners.ts";
import { programs } from "./programs.ts";
import { recentLists } from "./recent-lists.ts";
import { rights } from "./rights.ts";
import { takenPlaces } from "./taken-places.ts";
import { targetFiles } from "./target-files.ts";

const to = (target: string): string =>
  `${SSHD.replace("filter: sshd", "filter: sshd, target: t")}targets: { t: ${target} }\n`;
const NFLOG = "sources: { syn: { type: nflog, group: 5 } }\njails: { f: { sources: syn } }\n";
const from = (listen: string): string =>
  `sources: { log: { type: syslog, listen: "${listen}" } }\njails: { sshd: { sources: log, filter: sshd } }\n`;

describe("containers", () => {
  const files = { "/sys/class/net/eth0/operstate": "up", "/sys/class/net/docker0/operstate": "up" };

  it.each([
    ["{ enforcer: nftables }", "fine: Bans reach the containers behind docker0"],
    ["{ enforcer: iptables, chain: DOCKER-USER }", "fine: Bans reach the containers behind docker0"],
    ["{ enforcer: ipset, sets: [a, b] }", "fine: Bans reach the containers behind docker0"],
    [
      "{ enforcer: iptables }",
      "trouble: Target t bans in iptables' chain INPUT, and docker0 leads to containers",
    ],
    [
      "{ enforcer: ipset }",
      "trouble: Target t bans in iptables' chain INPUT, and docker0 leads to containers",
    ],
    [
      "{ enforcer: hosts.deny }",
      "trouble: Target t bans in a file of tcp_wrappers, and docker0 leads to containers",
    ],
  ])("with %s", (target, sentence) => {
    expect(sentences(containers, { files, config: to(target) })).toEqual([sentence]);
  });

  it("are not recognised by similar interface names", () => {
    const other = { "/sys/class/net/br-lan/operstate": "up", "/sys/class/net/mydocker0/operstate": "up" };
    expect(say(containers, { files: other, config: to("{ enforcer: iptables }") })).toEqual([]);
  });

  it("do not matter for a target that no jail uses", () => {
    const config = `${SSHD}targets: { t: { enforcer: iptables } }\n`;
    expect(sentences(containers, { files, config })).toEqual([
      "fine: Bans reach the containers behind docker0",
    ]);
  });
});

describe("lists of xt_recent", () => {
  const config = to("{ enforcer: recent, list: bad }");
  const files = {
    "/sys/module/xt_recent/parameters/ip_list_tot": "65536\n",
    "/proc/net/xt_recent/bad": "",
    "/proc/self/status": statusFile(0, ALL),
  };

  it("are fine when they exist, are large and writable", () => {
    expect(sentences(recentLists, { files, config })).toEqual([
      "fine: The lists of xt_recent exist and are large enough",
    ]);
  });

  it("are too small by the module's default", () => {
    const small = { ...files, "/sys/module/xt_recent/parameters/ip_list_tot": "100\n" };
    expect(sentences(recentLists, { files: small, config })).toEqual([
      "trouble: Lists of xt_recent hold only 100 addresses",
    ]);
    expect(say(recentLists, { files: small })).toEqual([]);
  });

  it("do not exist without a rule, which the cure adds", () => {
    expect(say(recentLists, { config })).toMatchObject([
      {
        severity: "trouble",
        what: "The list bad of xt_recent does not exist",
        cure: [
          "iptables -I INPUT -m recent --name bad --rcheck -j DROP",
          "ip6tables -I INPUT -m recent --name bad --rcheck -j DROP",
        ],
      },
    ]);
  });

  // The directory's files belong to the user that runs this test.
  it.skipIf(process.geteuid?.() !== 0)("belong to root", () => {
    const user = { ...files, "/proc/self/status": statusFile(990, NET_ADMIN) };
    expect(sentences(recentLists, { files: user, config })).toEqual([
      "trouble: User 990, as which Stoplog runs, cannot write to the list bad of xt_recent",
    ]);
  });
});

describe("bans of IPv6", () => {
  const reachable = {
    "/proc/net/if_inet6":
      "00000000000000000000000000000001 01 80 10 80       lo\nfe800000000000000000000000000001 02 40 20 80     eth0\n20010db8000000000000000000000001 02 40 00 80     eth0\n",
  };
  const local = { "/proc/net/if_inet6": reachable["/proc/net/if_inet6"].replace(/^2001.*\n/m, "") };

  it("need ip6tables beside iptables", () => {
    const config = to("{ enforcer: iptables }");
    const one = ["iptables-restore"];
    expect(sentences(ipv6, { files: reachable, config, programs: one })).toEqual([
      "trouble: Target t cannot ban IPv6: ip6tables-restore is not installed, and eth0 has an IPv6 address",
    ]);
    expect(sentences(ipv6, { files: reachable, config, programs: [...one, "ip6tables-restore"] })).toEqual([
      "fine: Bans cover IPv6",
    ]);
    expect(say(ipv6, { files: local, config, programs: one })).toEqual([]);
  });

  it.each([
    ["{ enforcer: ipset, sets: [four] }", "trouble"],
    ["{ enforcer: ipset, sets: [four, six] }", "fine"],
    ["{ enforcer: ipset }", "fine"],
    ["{ enforcer: nftables }", "fine"],
  ])("need a set for each family: %s", (target, severity) => {
    expect(say(ipv6, { files: reachable, config: to(target) })[0]?.severity).toBe(severity);
  });
});

describe("ports and log groups", () => {
  const FINE = "fine: The ports, sockets and log groups of sources are free";
  const udp =
    "   sl  local_address rem_address   st tx_queue\n  12: 00000000:0202 00000000:0000 07 00000000:00000000\n";
  const tcp =
    "   sl  local_address rem_address   st tx_queue\n   0: 0100007F:15B3 00000000:0000 0A 00000000:00000000\n   1: 0100007F:15B4 0100007F:9000 01 00000000:00000000\n";

  it.each([
    ["udp:127.0.0.1:514", { "/proc/net/udp": udp }, true],
    ["udp:127.0.0.1:515", { "/proc/net/udp": udp }, false],
    ["tcp:127.0.0.1:514", { "/proc/net/udp": udp }, false],
    ["udp:[::1]:514", { "/proc/net/udp6": udp.replace("00000000:0202", `${"0".repeat(32)}:0202`) }, true],
    ["tcp:127.0.0.1:5555", { "/proc/net/tcp": tcp }, true],
    ["tcp:127.0.0.1:5556", { "/proc/net/tcp": tcp }, false],
    ["unix:/run/s.sock", { "/proc/net/unix": "0: 00000002 00000000 00010000 0001 01 1 /run/s.sock\n" }, true],
    [
      "unix:/run/s.sock",
      { "/proc/net/unix": "0: 00000002 00000000 00010000 0001 01 1 /run/s.sock2\n" },
      false,
    ],
  ])("%s beside %j", (listen, files, isTaken) => {
    expect(sentences(takenPlaces, { files, config: from(listen) })).toEqual([
      isTaken ? `trouble: Another program holds ${listen}, on which source log listens` : FINE,
    ]);
  });

  it("log groups have one reader", () => {
    const held = (group: number) => ({
      "/proc/net/netfilter/nfnetlink_log": `    ${group}   4711     0 2 65531 100  1\n`,
    });
    expect(sentences(takenPlaces, { files: held(5), config: NFLOG })).toEqual([
      "trouble: Another program (socket 4711) holds log group 5 of source syn",
    ]);
    expect(sentences(takenPlaces, { files: held(50), config: NFLOG })).toEqual([FINE]);
  });

  it("are the daemon's own while it runs", () => {
    const files = { "/proc/net/udp": udp };
    expect(say(takenPlaces, { files, config: from("udp:127.0.0.1:514"), daemon: { pid: 7 } })).toEqual([]);
  });
});

describe("files of targets", () => {
  const config = to("{ enforcer: hosts.deny, path: /srv/deny/hosts.deny }");
  const files = { "/proc/self/status": statusFile(1000, NONE), "/srv/deny/x": "" };

  it("are replaced by renaming, so their directories must be writable", () => {
    expect(sentences(targetFiles, { files, config })).toEqual([
      "trouble: User 1000 cannot write to /srv/deny, where target t replaces /srv/deny/hosts.deny",
    ]);
    const root = { ...files, "/proc/self/status": statusFile(0, NONE) };
    expect(sentences(targetFiles, { files: root, config })).toEqual([
      "fine: Stoplog can write the files of its targets",
    ]);
  });

  it("need an existing directory", () => {
    expect(sentences(targetFiles, { files, config: config.replaceAll("/srv/deny", "/srv/gone") })).toEqual([
      "trouble: There is no directory /srv/gone, where target t writes its bans",
    ]);
  });

  it("do not matter without such a target", () => {
    expect(sentences(targetFiles, { files, config: to("{}") })).toEqual([]);
  });
});

describe("rights", () => {
  const user = { "/proc/self/status": statusFile(1000, NONE) };
  const unit = { "/etc/systemd/system/stoplog.service": "[Service]\n" };
  const NEEDED = "fine: Stoplog has the rights it needs";

  it("to change the firewall are reported as missing", () => {
    expect(say(rights, { files: user })).toMatchObject([
      {
        severity: "trouble",
        what: "User 1000 cannot change the firewall: CAP_NET_ADMIN is missing",
        why: "Target default cannot ban",
        cure: ["# run it as root: stoplog run"],
      },
    ]);
    expect(
      sentences(rights, {
        files: user,
        config: NFLOG.replace("syn }", "syn, target: t }") + "targets: { t: { enforcer: dry-run } }\n",
      }),
    ).toHaveLength(1);
  });

  it("are reported once for a target with two enforcers", () => {
    const config = to("[{ enforcer: nftables }, { enforcer: iptables }]");
    expect(say(rights, { files: user, config })[0]?.why).toBe("Target t cannot ban");
  });

  it("are needed by lists, and by targets of orders", () => {
    const config = `${to("{ enforcer: dry-run }")}lists: { bad: { file: /etc/bad } }\norigins: { edge: {} }\n`;
    expect(say(rights, { files: user, config })[0]?.why).toBe(
      "Target default cannot ban; list bad stops nothing",
    );
  });

  it("do not matter without need; an installed service has its own user", () => {
    expect(sentences(rights, { files: user, config: to("{ enforcer: dry-run }") })).toEqual([NEEDED]);
    expect(say(rights, { files: { ...user, ...unit } })).toEqual([]);
  });

  it("are the daemon's while it runs", () => {
    const files = { ...user, ...unit, "/proc/7/status": statusFile(990, NET_ADMIN) };
    expect(sentences(rights, { files, daemon: { pid: 7 } })).toEqual([NEEDED]);
    const lost = { ...files, "/proc/7/status": statusFile(990, NONE) };
    expect(sentences(rights, { files: lost, daemon: { pid: 7 } })).toEqual([
      "trouble: The daemon (process 7) cannot change the firewall: CAP_NET_ADMIN is missing",
    ]);
  });

  it("are too many for a daemon under systemd that runs as root without need", () => {
    const files = { "/proc/7/status": statusFile(0, ALL), "/run/systemd/system/x": "" };
    expect(sentences(rights, { files, daemon: { pid: 7 } })).toEqual([
      "advice: Stoplog runs as root, and without NoNewPrivileges",
    ]);
    expect(sentences(rights, { files, daemon: { pid: 7 }, config: to("{ enforcer: iptables }") })).toEqual([
      NEEDED,
    ]);
    expect(
      sentences(rights, { files: { "/proc/7/status": statusFile(0, ALL) }, daemon: { pid: 7 } }),
    ).toEqual([NEEDED]);
  });
});

describe("programs and libraries", () => {
  const FINE = "fine: All needed programs and libraries are installed";
  const facts = { nativeFault: "Cannot load koffi: it is not installed" };

  it.each([
    ["{ enforcer: nftables }", ["nft"], "advice: Cannot load koffi: it is not installed"],
    ["{ enforcer: nftables }", [], "trouble: Cannot load koffi: it is not installed"],
    ["{ enforcer: route }", ["nft"], "trouble: Cannot load koffi: it is not installed"],
    ["{ enforcer: nft }", ["nft"], FINE],
  ])("without koffi, at %s with %j", (target, installed, sentence) => {
    expect(sentences(programs, { facts, config: to(target), programs: installed })).toEqual([sentence]);
  });

  it("lists need koffi, whatever the targets are", () => {
    const config = `${to("{ enforcer: nft }")}lists: { bad: { file: /etc/bad } }\n`;
    const [finding] = say(programs, { facts, config, programs: ["nft"] });
    expect(finding).toMatchObject({ severity: "trouble", why: "Without it list bad cannot work" });
  });

  it("sources that read from the kernel need koffi", () => {
    const [finding] = say(programs, { facts, config: NFLOG, programs: ["nft"] });
    expect(finding).toMatchObject({ severity: "trouble", why: "Without it source syn cannot work" });
  });

  it.each([
    ["{ enforcer: nftables }", [], []],
    ["{ enforcer: nft }", [], ["nft"]],
    ["{ enforcer: iptables }", ["iptables-save"], ["iptables-restore"]],
    ["{ enforcer: iptables }", ["iptables-save", "iptables-restore"], []],
    ["{ enforcer: command, ban: [/opt/ban, '{address}'], unban: [unban] }", ["unban"], ["/opt/ban"]],
  ])("at %s with %j", (target, installed, missing) => {
    expect(sentences(programs, { config: to(target), programs: installed })).toEqual(
      missing.length === 0 ? [FINE] : missing.map((name) => `trouble: ${name} is not installed`),
    );
  });

  it("a journal source needs journalctl", () => {
    const config = "sources: { j: { type: journal } }\njails: { sshd: { sources: j, filter: sshd } }\n";
    expect(sentences(programs, { config })).toEqual(["trouble: journalctl is not installed"]);
    expect(sentences(programs, { config, programs: ["journalctl"] })).toEqual([FINE]);
  });
});

describe("the kernel", () => {
  const release = (name: string) => ({ "/proc/sys/kernel/osrelease": `${name}\n` });
  const reject = to("{ enforcer: nftables, verdict: reject }");

  it("can reject in prerouting since Linux 5.9", () => {
    expect(sentences(kernel, { files: release("5.4.0-42-generic"), config: reject })).toEqual([
      "trouble: Linux 5.4.0-42-generic cannot reject packets as target t does: that needs Linux 5.9",
    ]);
    for (const [name, config] of [
      ["5.4.0", SSHD],
      ["5.10.0-8-amd64", reject],
      ["6.1.0", reject],
    ] as const)
      expect(sentences(kernel, { files: release(name), config })).toEqual([
        `fine: Linux ${name} has all needed features`,
      ]);
  });

  it("needs its modules, unless it has none or the needed one is loaded", () => {
    const files = { ...release("6.12.1"), "/proc/modules": "ext4 1 0 - Live 0x0\n" };
    expect(sentences(kernel, { files })).toEqual([
      "trouble: The modules of the running kernel are missing: /lib/modules/6.12.1 does not exist",
    ]);
    const FINE = ["fine: Linux 6.12.1 has all needed features"];
    expect(sentences(kernel, { files: { ...files, "/lib/modules/6.12.1/modules.dep": "" } })).toEqual(FINE);
    expect(sentences(kernel, { files: { ...files, "/proc/modules": "nf_tables 1 0 - Live 0x0\n" } })).toEqual(
      FINE,
    );
    expect(sentences(kernel, { files: { ...files, "/.dockerenv": "" } })).toEqual(FINE);
    expect(sentences(kernel, { files: release("6.12.1") })).toEqual(FINE);
  });
});

describe("other programs that ban", () => {
  it.each([
    [["/usr/bin/python3", "/usr/bin/fail2ban-server", "-xf", "start"], "fail2ban"],
    [["fail2ban-server"], "fail2ban"],
    [["/usr/bin/crowdsec-firewall-bouncer", "-c", "x"], "CrowdSec's bouncer"],
    [["lfd - sleeping"], null],
    [["vi", "/etc/fail2ban/jail.local"], null],
    [["/usr/bin/perl", "-w", "/usr/sbin/lfd.pl"], "lfd of CSF"],
    [["tail", "-f", "fail2ban-server"], null],
    [["node", "vitest", "run", "src/import/swabber"], null],
  ])("%j", (words, name) => {
    expect(sentences(otherBanners, { files: processFiles(77, ...words) })).toEqual([
      name === null
        ? "fine: No other banning program runs"
        : `advice: ${name} runs beside Stoplog (process 77)`,
    ]);
  });
});
