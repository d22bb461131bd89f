import { describe, expect, it } from "vitest";
import { ALL, NET_ADMIN, say, sentences, SSHD, statusFile } from "../../../test/support/doctor-machine.ts";
import { connectionTracking } from "./connection-tracking.ts";
import { datagramQueue } from "./datagram-queue.ts";
import { kernelLog } from "./kernel-log.ts";
import { reversePath } from "./reverse-path.ts";
import { synCookies } from "./syn-cookies.ts";

const PACKETS = `
sources: { syn: { type: nflog, group: 5 } }
jails: { synflood: { sources: syn, maxretry: 20 } }
`;
const KMSG = `
sources: { kernel: { type: kmsg } }
jails: { scan: { sources: kernel, filter: { failregex: "SRC=<HOST> DST" } } }
`;
const SOCKET = `
sources: { log: { type: syslog, listen: "unix:/run/stoplog/syslog.sock" } }
jails: { sshd: { sources: log, filter: sshd } }
`;

describe("SYN cookies", () => {
  const files = { "/proc/sys/net/ipv4/tcp_syncookies": "0\n" };

  it("are advice when off, and trouble where jails count packets", () => {
    expect(sentences(synCookies, { files })).toEqual(["advice: SYN cookies are off"]);
    expect(sentences(synCookies, { files, config: PACKETS })).toEqual(["trouble: SYN cookies are off"]);
  });

  it("come with the commands that switch them on, now and at every boot", () => {
    expect(say(synCookies, { files })[0]?.cure).toEqual([
      "echo 'net.ipv4.tcp_syncookies = 1' > /etc/sysctl.d/99-stoplog-net-ipv4-tcp-syncookies.conf",
      "sysctl -p /etc/sysctl.d/99-stoplog-net-ipv4-tcp-syncookies.conf",
    ]);
  });

  it("are fine when on, and ignored by a kernel without the setting", () => {
    expect(sentences(synCookies, { files: { "/proc/sys/net/ipv4/tcp_syncookies": "1\n" } })).toEqual([
      "fine: SYN cookies are on",
    ]);
    expect(say(synCookies, {})).toEqual([]);
  });
});

describe("the connection tracking table", () => {
  const table = (count: number, max: number, buckets: number) => ({
    "/proc/sys/net/netfilter/nf_conntrack_count": `${count}\n`,
    "/proc/sys/net/netfilter/nf_conntrack_max": `${max}\n`,
    "/proc/sys/net/netfilter/nf_conntrack_buckets": `${buckets}\n`,
  });

  it.each([
    [10, "fine: The connection tracking table holds 10 of at most 1,000 entries"],
    [699, "fine: The connection tracking table holds 699 of at most 1,000 entries"],
    [700, "advice: The connection tracking table is full to 70 %: 700 of 1,000 entries"],
    [900, "trouble: The connection tracking table is full to 90 %: 900 of 1,000 entries"],
  ])("with %d of 1000 entries", (count, sentence) => {
    expect(sentences(connectionTracking, { files: table(count, 1000, 1000) })).toEqual([sentence]);
  });

  it("reports evicted entries, summed over all CPUs", () => {
    const head =
      "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error";
    const row = (early: string) =>
      `0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 ${early} 00000000`;
    const files = {
      ...table(1, 1000, 1000),
      "/proc/net/stat/nf_conntrack": [head, row("0000000a"), row("00000010"), ""].join("\n"),
    };
    expect(sentences(connectionTracking, { files })).toEqual([
      "advice: The connection tracking table was full since boot: the kernel evicted 26 entries",
    ]);
  });

  it("reports long chains", () => {
    expect(sentences(connectionTracking, { files: table(1, 1_048_576, 65_536) })).toEqual([
      "advice: The connection tracking table has 65,536 buckets for up to 1,048,576 entries",
    ]);
  });

  it("is not checked on a kernel without it", () => {
    expect(say(connectionTracking, {})).toEqual([]);
  });
});

describe("reverse path filtering", () => {
  const links = (all: number, eth0: number, eth1: number, state = "up") => ({
    "/proc/sys/net/ipv4/conf/all/rp_filter": `${all}\n`,
    "/proc/sys/net/ipv4/conf/default/rp_filter": "0\n",
    "/proc/sys/net/ipv4/conf/lo/rp_filter": "0\n",
    "/proc/sys/net/ipv4/conf/eth0/rp_filter": `${eth0}\n`,
    "/proc/sys/net/ipv4/conf/eth1.7/rp_filter": `${eth1}\n`,
    "/sys/class/net/eth1.7/operstate": `${state}\n`,
  });

  it("matters where jails count packets and two interfaces are up", () => {
    expect(sentences(reversePath, { config: PACKETS, files: links(0, 1, 0) })).toEqual([
      "advice: Packets from any source are accepted on eth1.7: net.ipv4.conf.*.rp_filter is 0",
    ]);
    expect(say(reversePath, { config: SSHD, files: links(0, 0, 0) })).toEqual([]);
    expect(say(reversePath, { config: PACKETS, files: links(0, 0, 0, "down") })).toEqual([]);
  });

  it.each([
    [1, 0, "Packets with a source behind another interface are dropped"],
    [2, 0, "Reverse path filtering is on"],
    [0, 2, "Reverse path filtering is on"],
  ])("goes by the greater of all (%d) and the interface's (%d)", (all, each, sentence) => {
    expect(sentences(reversePath, { config: PACKETS, files: links(all, each, each) })).toEqual([
      `fine: ${sentence}`,
    ]);
  });
});

describe("the kernel's log", () => {
  const first = {
    "/proc/sys/net/netfilter/nf_log_all_netns": "0\n",
    "/proc/self/status": statusFile(0, ALL),
  };

  it("concerns only sources of type kmsg", () => {
    expect(say(kernelLog, { files: first })).toEqual([]);
    expect(sentences(kernelLog, { files: first, config: KMSG })).toEqual([
      "fine: The kernel's log is readable and contains the messages of LOG rules",
    ]);
  });

  it("is unreadable for an ordinary user where dmesg is restricted", () => {
    const files = {
      ...first,
      "/proc/self/status": statusFile(990, NET_ADMIN),
      "/proc/sys/kernel/dmesg_restrict": "1\n",
    };
    expect(sentences(kernelLog, { files, config: KMSG })).toEqual([
      "trouble: Stoplog cannot read /dev/kmsg: kernel.dmesg_restrict is 1, and it lacks CAP_SYSLOG",
    ]);
    expect(
      sentences(kernelLog, { files: { ...files, "/proc/sys/kernel/dmesg_restrict": "0\n" }, config: KMSG }),
    ).toEqual(["fine: The kernel's log is readable and contains the messages of LOG rules"]);
  });

  it("lacks the messages of containers, unless the host allows them", () => {
    const files = { ...first, "/sys/class/net/docker0/operstate": "up\n" };
    expect(sentences(kernelLog, { files, config: KMSG })).toEqual([
      "advice: LOG rules in containers write nothing: net.netfilter.nf_log_all_netns is 0, and docker0 leads to containers",
    ]);
    const allowed = { ...files, "/proc/sys/net/netfilter/nf_log_all_netns": "1\n" };
    expect(sentences(kernelLog, { files: allowed, config: KMSG })).toEqual([
      "fine: The kernel's log is readable and contains the messages of LOG rules",
    ]);
  });

  it("lacks all messages of a separate network namespace, which has no such sysctl", () => {
    const files = { "/proc/sys/net/netfilter/nf_log/2": "NONE\n", "/proc/self/status": statusFile(0, ALL) };
    expect(sentences(kernelLog, { files, config: KMSG })).toEqual([
      "trouble: This is a separate network namespace: its LOG rules write nothing to the kernel's log unless the host allows it",
    ]);
  });
});

describe("the queue of UNIX sockets", () => {
  const files = {
    "/proc/sys/net/unix/max_dgram_qlen": "10\n",
    "/proc/self/status": statusFile(990, NET_ADMIN),
  };

  it("is too short for a user that cannot raise it", () => {
    expect(sentences(datagramQueue, { files, config: SOCKET })).toEqual([
      "advice: A UNIX socket queues only 10 messages: net.unix.max_dgram_qlen",
    ]);
  });

  it("is raised by a daemon that runs as root", () => {
    expect(
      sentences(datagramQueue, {
        files: { ...files, "/proc/self/status": statusFile(0, ALL) },
        config: SOCKET,
      }),
    ).toEqual(["fine: A UNIX socket queues 10 messages; Stoplog runs as root and raises that by itself"]);
  });

  it("is fine when long, and does not matter without such a source", () => {
    const long = { ...files, "/proc/sys/net/unix/max_dgram_qlen": "512\n" };
    expect(sentences(datagramQueue, { files: long, config: SOCKET })).toEqual([
      "fine: A UNIX socket queues 512 messages",
    ]);
    expect(say(datagramQueue, { files })).toEqual([]);
  });
});
