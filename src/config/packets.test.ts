import { describe, expect, it } from "vitest";
import { describeConfig } from "./describe.ts";
import { good, read } from "../../test/support/read-config-text.ts";

const SOURCES =
  "sources: { syn: { type: nflog, group: 5 }, auth: { type: file, path: /var/log/auth.log } }\n";

/** A jail on packets; its keys begin in line 4, indented by four. */
function packets(...lines: string[]): string {
  return `${SOURCES}jails:\n  flood:\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

describe("a jail on packets", () => {
  it("needs no filter, and counts all packets of its sources by default", () => {
    const { jails, sources } = good(packets("sources: syn", "maxretry: 20"));
    expect(sources.get("syn")).toEqual({ type: "nflog", group: 5, install: false });
    expect(jails[0]).toMatchObject({ name: "flood", filter: null, packets: {}, maxretry: 20 });
  });

  it("selects by protocol, ports, flags, prefix and interface", () => {
    const selection =
      "{ protocol: tcp, ports: [22, 8000-8080, https], flags: 'syn,!ack', prefix: 'SYN: ', interface: eth0 }";
    const config = good(packets("sources: syn", `packets: ${selection}`));
    expect(config.jails[0]?.packets).toEqual({
      protocols: [6],
      ports: [
        { first: 22, last: 22 },
        { first: 8000, last: 8080 },
        { first: 443, last: 443 },
      ],
      flags: { set: 2, clear: 16 },
      prefix: "SYN: ",
      interfaces: ["eth0"],
    });
    expect(describeConfig(config)[0]).toBe(
      'jail flood: source syn; packets tcp, ports 22, 8000-8080, 443, flags syn,!ack, prefix "SYN: ", on eth0; 5 failures in 10m → 1h at throttle',
    );
  });

  it("takes several protocols, also by number", () => {
    const { jails } = good(packets("sources: syn", "packets: { protocol: [udp, 132, sctp] }"));
    expect(jails[0]?.packets).toEqual({ protocols: [17, 132, 132] });
  });

  it("is described without a selection", () => {
    expect(describeConfig(good(packets("sources: syn")))[0]).toContain("; all packets; 5 failures");
  });

  it("takes its selection from `defaults`, where jails on lines ignore it", () => {
    const config = good(
      `${SOURCES}defaults: { packets: { protocol: udp } }\njails: { a: { sources: syn }, sshd: { sources: auth } }\n`,
    );
    expect(config.jails.map(({ packets }) => packets)).toEqual([{ protocols: [17] }, undefined]);
    expect(config.jails[1]?.filter?.name).toBe("sshd");
  });

  it.each([
    [
      packets("sources: [syn, auth]"),
      "jail flood: sources must give either packets (syn) or lines (auth), not both (stoplog.yaml:4:14)",
    ],
    [
      packets("sources: auth", "filter: sshd", "packets: { ports: 22 }"),
      "jail flood: packets needs sources of type nflog; auth gives lines (stoplog.yaml:6:5)",
    ],
    [
      packets("sources: syn", "filter: sshd"),
      "jail flood: filter is for lines; syn gives packets (stoplog.yaml:5:5)",
    ],
    [
      packets("sources: syn", "failregex: '<HOST>'"),
      "jail flood: failregex is for lines; syn gives packets (stoplog.yaml:5:5)",
    ],
    [
      packets("sources: syn", "packets: { flags: [syn, sin] }"),
      "jail flood: packets.flags must be some of fin, syn, rst, psh, ack, urg, ece, cwr, with ! for a flag that must not be set (stoplog.yaml:5:23)",
    ],
    [
      packets("sources: syn", "packets: { protocol: udp, flags: syn }"),
      "jail flood: packets.flags needs protocol: tcp (stoplog.yaml:5:38)",
    ],
    [
      packets("sources: syn", "packets: { protocol: icmp, ports: 22 }"),
      "jail flood: packets.ports needs protocols that have ports: tcp, udp, sctp, dccp or udplite (stoplog.yaml:5:39)",
    ],
    [
      packets("sources: syn", "packets: { protocol: tpc }"),
      'jail flood: packets.protocol must be icmp, igmp, tcp, udp, dccp, gre, esp, ah, icmpv6, sctp or udplite or a number from 0 to 255, not "tpc" (stoplog.yaml:5:26)',
    ],
    [
      packets("sources: syn", "packets: { protocol: 256 }"),
      "jail flood: packets.protocol must be icmp, igmp, tcp, udp, dccp, gre, esp, ah, icmpv6, sctp or udplite or a number from 0 to 255, not 256 (stoplog.yaml:5:26)",
    ],
    [
      packets("sources: syn", "packets: { port: 22 }"),
      "jail flood: unknown key port in packets (did you mean ports?) (stoplog.yaml:5:16)",
    ],
    [
      "sources: { syn: { type: nflog, group: 65536 } }\n",
      "source syn: group must be 65535 or less (stoplog.yaml:1:39)",
    ],
    [
      "sources: { syn: { type: nflog, group: 5, over: 10/second } }\n",
      "source syn: over needs install: true (stoplog.yaml:1:42)",
    ],
    [
      "sources: { syn: { type: nflog, group: 5, install: true } }\njails: { flood: { sources: syn } }\n",
      "jail flood: packets must name a protocol, ports or flags where the source has install: true (stoplog.yaml:2:10)",
    ],
    [
      "sources: { syn: { type: nflog, group: 5, install: true } }\njails: { flood: { sources: syn, packets: { protocol: tcp, prefix: x } } }\n",
      "jail flood: packets.prefix is for rules of your own; the source has install: true (stoplog.yaml:2:33)",
    ],
    [
      packets("sources: syn", "packets: { interface: 'eth0\" accept' }"),
      'jail flood: packets.interface must be the name of an interface, not "eth0" accept" (stoplog.yaml:5:27)',
    ],
    ["sources: { syn: { type: nflog } }\n", "source syn: group is missing (stoplog.yaml:1:12)"],
  ])("%j: %s", (text, sentence) => {
    expect(read(text).errors.map((error) => error.replace(/^Cannot use /, ""))).toEqual([sentence]);
  });
});
