import { describe, expect, it } from "vitest";
import { type Files, imported, JAILS } from "./imported.test-support.ts";

describe("importFail2ban() converts actions to targets", () => {
  const targets = (action: string, more: Files = {}): { targets: unknown; said: string; notify: unknown } => {
    const { page, said } = imported({
      ...JAILS,
      ...more,
      "jail.local": `[door]\nenabled = true\naction = ${action.replaceAll("\n", "\n  ")}\n`,
    });
    return { targets: page.targets, notify: page.notify, said: said.join("\n") };
  };

  it.each<[string, unknown]>([
    [
      "nftables-multiport[port=80, protocol=udp]",
      { "port-80": { verdict: "reject", ports: [80], protocols: ["udp"] } },
    ],
    ["nftables[type=allports, blocktype=drop]", { all: { enforcer: "nftables" } }],
    ["iptables-allports", { all: { verdict: "reject" } }],
    [
      "iptables-multiport[port=http, chain=FORWARD]",
      {
        "FORWARD-http": {
          enforcer: "ipset",
          verdict: "reject",
          chain: "FORWARD",
          ports: ["http"],
          protocols: ["tcp"],
        },
      },
    ],
    [
      'iptables-multiport[port=80, chain="INPUT,FORWARD"]',
      { "port-80": { verdict: "reject", ports: [80], protocols: ["tcp"] } },
    ],
    ['iptables-ipset-proto6[chain="FORWARD INPUT"]', { all: { verdict: "reject" } }],
    [
      "iptables-ipset-proto6[port=80]",
      { "port-80": { enforcer: "ipset", verdict: "reject", ports: [80], protocols: ["tcp"] } },
    ],
    ["hostsdeny[daemon_list=sshd]", { "hosts-deny": { enforcer: "hosts.deny", services: "sshd" } }],
    ["route[blocktype=blackhole]", { route: { enforcer: "route", type: "blackhole" } }],
    ["ufw", { all: { verdict: "reject" } }],
    [
      "nftables[port=53, protocol=tcp]\nnftables[port=53, protocol=udp]",
      { "port-53": { verdict: "reject", ports: [53], protocols: ["tcp", "udp"] } },
    ],
    [
      "nftables[port=80]\nroute",
      {
        "port-80-route": [
          { verdict: "reject", ports: [80], protocols: ["tcp"] },
          { enforcer: "route", type: "unreachable" },
        ],
      },
    ],
  ])("%s", (action, expected) => {
    expect(targets(action).targets).toEqual(expected);
  });

  it("with ports whose names contain hyphens", () => {
    const services = { "/etc/services": "http-alt 8080/tcp\nms-sql-s 1433/tcp\nssh 22/tcp\n" };
    const port = (text: string): unknown => targets(`nftables[port="${text}"]`, services).targets;
    expect(port("http-alt,ms-sql-s")).toEqual({
      "port-1433-8080": { verdict: "reject", ports: [1433, 8080], protocols: ["tcp"] },
    });
    expect(port("ssh-http-alt, 9000-9010 ssh:http")).toMatchObject({
      "port-22-8080-22-80-9000-9010": { ports: ["22-8080", "22-80", "9000-9010"] },
    });
  });

  it.each<[string, Files, string]>([
    [
      "ufw",
      {
        "action.d/ufw.conf":
          "[Definition]\nactionban = ufw deny from <ip>; curl -d <ip> https://example.org/\n",
      },
      "ufw: its actionban was changed: its commands run for each ban",
    ],
    [
      "ufw-ours",
      { "action.d/ufw-ours.conf": "[Definition]\nactionban = ufw insert 1 deny from <ip>\n" },
      "none",
    ],
    [
      "firewallcmd-zone",
      {
        "action.d/firewallcmd-zone.conf":
          "[Definition]\nactionban = firewall-cmd --zone=drop --add-source=<ip>\n",
      },
      "none",
    ],
    [
      "iptables-ipset-list",
      { "action.d/iptables-ipset-list.conf": "[Definition]\nactionban = ipset add mine <ip>\n" },
      "none",
    ],
    ["sendmail-chat", { "action.d/sendmail-chat.conf": "[Definition]\nactionban = chat <ip>\n" }, "none"],
    [
      "route",
      {
        "action.d/route.conf": "[Definition]\nactionban = ip route add <ip>\n",
        "action.d/route.local": "[Definition]\nactionban = ip route add <ip> dev lo\n",
      },
      "route: route.local sets actionban: its commands run for each ban",
    ],
  ])("of the edited or own action %s", (name, files, sentence) => {
    const { targets: found, said } = targets(name, files);
    expect(found).toEqual({
      [name]: expect.objectContaining({ enforcer: "command" }) as unknown,
    });
    if (sentence !== "none") expect(said).toContain(sentence);
  });

  it("as fail2ban's where an edited or own action cannot be converted, and says so", () => {
    const edited = {
      "action.d/iptables.local": "[Definition]\nactionban = logger banned; iptables -I x -s <ip> -j DROP\n",
    };
    const found = targets("iptables-multiport[port=80]", edited);
    expect(found.targets).toMatchObject({ "port-80": { ports: [80] } });
    expect(found.said).toContain(
      "iptables-multiport: iptables.local sets actionban: its commands are not converted, fail2ban's action of that name is (separate options for IPv6 are not supported)",
    );
    const own = {
      "action.d/ufw-talk.conf": "[Definition]\nactionban = ufw deny from <ip> comment '<matches>'\n",
    };
    const like = targets("ufw-talk", own);
    expect(like.targets).toEqual({ all: { verdict: "reject" } });
    expect(like.said).toContain("ufw-talk: banned as by ufw instead");
  });

  it("of the user's own commands", () => {
    const own = {
      "action.d/gate.conf":
        "[Definition]\nactionban = gate shut <ip> <lane> --for <bantime> < /dev/null\nactionunban = gate open <ip>\nactionstart = gate up\n[Init]\nlane = <name>-lane\n",
    };
    expect(targets("gate", own).targets).toEqual({
      gate: {
        enforcer: "command",
        ban: ["/bin/sh", "-c", "gate shut {address} door-lane --for {seconds} < /dev/null"],
        unban: ["/bin/sh", "-c", "gate open {address}"],
        start: ["/bin/sh", "-c", "gate up"],
        parallel: 1,
      },
    });
    const asking = { "action.d/gate.conf": "[Definition]\nactionban = tell '<matches>' <ip>\n" };
    const { targets: without, said } = targets("gate", asking);
    expect(without).toEqual({ nothing: { enforcer: "dry-run" } });
    expect(said).toContain(
      "gate: actionban needs <matches>, which commands do not get: left out (/f/jail.local:3)",
    );
    expect(said).toContain("door.action: none of its actions bans");
  });

  it("and to mails", () => {
    const { notify, said } = targets(
      'nftables\nsendmail-whois[dest="me@example.org, root", sender="a b"]\nabuseipdb[abuseipdb_category=18]',
    );
    expect(notify).toEqual({ mail: { type: "mail", to: ["me@example.org", "root"], jails: ["door"] } });
    expect(said).toContain("sendmail-whois: mails give the reason for a ban, without whois or log lines");
    expect(said).toContain("abuseipdb: left out: use 'notify' with template: abuseipdb");
  });

  it("but not actions that open ports", () => {
    const { targets: found, said } = targets("iptables-multiport[blocktype=RETURN, port=22]");
    expect(found).toEqual({ nothing: { enforcer: "dry-run" } });
    expect(said).toContain("opens ports instead of closing them");
  });
});
