import { parsePrefix } from "../../src/core/prefix.ts";
import type { Ban, BanChange } from "../../src/core/ban.ts";
import { HOUR, type Instant } from "../../src/core/time.ts";
import { eventOf, type Machine, type Message, NONE } from "../../src/notify/message.ts";
import type { CommonOptions } from "../../src/notify/options.ts";

export const NOW: Instant = Date.UTC(2026, 10, 20);
export const MACHINE: Machine = { epoch: "e1", host: "web1" };

export const COMMON: CommonOptions = {
  name: "team",
  wanted: { events: ["ban", "lift"], jails: null, origins: null, targets: null },
  every: 0,
  most: 10,
  each: false,
  timeout: 2000,
};

export function ban(address: string, more: Partial<Ban> = {}): Ban {
  const prefix = parsePrefix(address);
  if (prefix === null) throw new Error(`Cannot read ${address}`);
  return {
    prefix,
    target: "default",
    jail: "sshd",
    reason: "5 failures in 10m",
    since: NOW,
    until: NOW + HOUR,
    origin: "local",
    ...more,
  };
}

export function change(address: string, more: Partial<Ban> = {}): BanChange {
  return { seq: 7, kind: "ban", ban: ban(address, more) };
}

export function message(changes: readonly BanChange[], more: Partial<Message> = {}): Message {
  return {
    id: "a1b2",
    host: MACHINE.host,
    events: changes.map((one) => eventOf(one, MACHINE)),
    more: NONE,
    missed: 0,
    since: NOW,
    test: false,
    ...more,
  };
}
