import { describe, expect, it } from "vitest";
import { DAY } from "../core/time.ts";
import { describeConfig } from "./describe.ts";
import { hindrancesOf } from "./offload.ts";
import { good, read } from "../../test/support/read-config-text.ts";

/** A jail that the kernel counts for; its keys begin in line 3, indented by four. */
function offloaded(...lines: string[]): string {
  return `jails:\n  flood:\n${["offload: kernel", ...lines].map((line) => `    ${line}\n`).join("")}`;
}

const SYN = "packets: { protocol: tcp, flags: 'syn,!ack', ports: 22 }";

describe("a jail that the kernel counts for", () => {
  it("needs no source and no filter, and bans at throttle by default", () => {
    const config = good(offloaded(SYN, "maxretry: 50", "findtime: 10s", "bantime: 3m"));
    expect(config.jails[0]).toMatchObject({
      sources: [],
      filter: null,
      packets: { protocols: [6], ports: [{ first: 22, last: 22 }], flags: { set: 2, clear: 16 } },
      offload: { opening: false, connlimit: null },
      steps: [{ maxretry: 50, target: "throttle", bantime: 180_000 }],
    });
    expect(config.targets.map(({ name }) => name)).toEqual(["default", "throttle"]);
    expect(describeConfig(config)).toEqual([
      "jail flood: the kernel counts; packets tcp, ports 22, flags syn,!ack; 50 failures in 10s → 3m at throttle",
      "target throttle: nftables, throttle 1 packets per 1s",
    ]);
  });

  it("counts new connections, or concurrent ones", () => {
    const opening = good(offloaded("packets: { protocol: tcp, ports: 22, state: new }", "target: default"));
    expect(opening.jails[0]?.offload).toEqual({ opening: true, connlimit: null });
    expect(opening.targets.map(({ name }) => name)).toEqual(["default"]);
    const many = good(offloaded("packets: { protocol: tcp, ports: 22 }", "connlimit: 20"));
    expect(many.jails[0]?.offload).toEqual({ opening: true, connlimit: 20 });
    expect(describeConfig(many)[0]).toBe(
      "jail flood: the kernel counts; packets that open connections, tcp, ports 22; more than 20 connections → 1h at throttle",
    );
  });

  it("ignores keys in `defaults` that are for lines", () => {
    const { jails } = good(
      `sources: { auth: { type: file, path: /var/log/auth.log } }\ndefaults: { sources: auth, increment: true, count_with: all }\n${offloaded(SYN)}`,
    );
    expect(jails[0]).toMatchObject({ sources: [], growth: null, countWith: null });
  });

  it.each([
    [
      ["maxretry: 3"],
      "jail flood: packets must name a protocol, ports or flags where the kernel counts (stoplog.yaml:2:3)",
    ],
    [
      ["packets: { protocol: tcp, prefix: x }"],
      "jail flood: packets.prefix is of rules that log; the kernel counts without such rules (stoplog.yaml:4:5)",
    ],
    [[SYN, "filter: sshd"], "jail flood: filter is for lines; the kernel counts packets (stoplog.yaml:5:5)"],
    [[SYN, "increment: true"], "jail flood: increment is more than the kernel can count (stoplog.yaml:5:5)"],
    [
      [SYN, "sources: auth"],
      "jail flood: sources is for jails that the daemon counts for; the kernel needs none (stoplog.yaml:5:5)",
    ],
    [
      [SYN, "findtime: 8d"],
      "jail flood: findtime must be 1w or less where the kernel counts (stoplog.yaml:5:15)",
    ],
    [
      [SYN, "connlimit: 4", "maxretry: 4"],
      "jail flood: maxretry cannot be combined with connlimit (stoplog.yaml:6:5)",
    ],
  ])("is refused with %j", (lines, error) => {
    expect(
      read(`${offloaded(...lines)}sources: { auth: { type: file, path: /var/log/auth.log } }\n`).errors,
    ).toContainEqual(expect.stringContaining(error.replace("jail flood: ", "")));
  });

  it("is refused with a target of another enforcer than nftables, and in `defaults`", () => {
    const { errors } = read(
      `${offloaded(SYN, "target: hosts")}targets: { hosts: { enforcer: hosts.deny } }\ndefaults: { offload: kernel }\n`,
    );
    expect(errors).toEqual(
      [
        expect.stringContaining("offload must be set in each jail"),
        expect.stringContaining("target hosts must use nftables where the kernel counts"),
      ].toReversed(),
    );
  });

  it("is the only one that takes connlimit and packets.state", () => {
    const { errors } = read(
      "sources: { syn: { type: nflog, group: 5 } }\njails: { a: { sources: syn, connlimit: 3, packets: { state: new } } }\n",
    );
    expect(errors).toEqual([
      expect.stringContaining("connlimit needs offload: kernel"),
      expect.stringContaining("packets.state needs offload: kernel"),
    ]);
  });
});

it("hindrancesOf() says why the kernel cannot count for a jail", () => {
  const config = good(
    "sources: { syn: { type: nflog, group: 5 } }\njails: { a: { sources: syn, packets: { protocol: udp } }, b: { sources: syn, increment: true, findtime: 30d } }\n",
  );
  expect(config.jails.map((jail) => hindrancesOf(jail, config))).toEqual([
    [],
    ["its packets name no protocol, ports or flags", "increment", "a findtime of more than a week"],
  ]);
  expect(config.jails[1]?.findtime).toBe(30 * DAY);
});
