import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import { ManualClock } from "../core/clock.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { HOUR, MINUTE } from "../core/time.ts";
import { runningJail } from "./builders.test-support.ts";
import { Exempt } from "./exempt.ts";
import { SettledBans } from "./settled-bans.ts";

const START = Date.UTC(2026, 10, 20);

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function config(more: Partial<Config> = {}): Config {
  const target = (name: string) => ({ name, bantime: null, resetConnections: false, enforcers: [] });
  const { config: sshd } = runningJail({
    name: "sshd",
    steps: [{ maxretry: 5, times: 1, target: "web", bantime: HOUR }],
  });
  return {
    targets: [target("default"), target("web"), target("far")],
    jails: [sshd],
    origins: [{ name: "scorer", target: "far" }],
    ignoreip: [],
    ignoreSelf: true,
    ...more,
  } as unknown as Config;
}

function started() {
  const clock = new ManualClock(START);
  const book = new Book({ capacity: 100, changes: 100 });
  const exempt = new Exempt();
  const said: string[] = [];
  const say = (sentence: string) => void said.push(sentence);
  const settled = new SettledBans({
    book,
    exempt,
    clock,
    log: { error: say, warn: say, info: say, debug: say },
  });
  const ban = (
    text: string,
    more: { target?: string; jail?: string; origin?: string; until?: number } = {},
  ): void => {
    const rest = { target: "default", jail: "", reason: "", origin: "local", until: START + HOUR, ...more };
    book.ban({ prefix: prefix(text), since: START, ...rest });
  };
  const take = async (next: Config): Promise<void> => {
    const settings = { config: next, filters: new Map() };
    await exempt.follow(settings);
    settled.follow(settings);
    await settled.move();
    await settled.taken(next);
  };
  const bans = () =>
    Array.from(book.bans(), ({ prefix: one, target }) => `${formatPrefix(one)} ${target}`).toSorted();
  return { clock, book, exempt, settled, said, ban, take, bans };
}

describe("SettledBans", () => {
  it("ends bans of an address that a file of ignoreip gets", async () => {
    const { exempt, settled, ban, take, bans, said } = started();
    const folder = mkdtempSync(join(tmpdir(), "stoplog-settled-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "allowed");
    writeFileSync(path, "");
    await take(config({ ignoreFrom: [{ kind: "file", path }] }));
    ban("203.0.113.1");
    ban("203.0.113.2");
    writeFileSync(path, "203.0.113.1\n");
    exempt.tick(START);
    await settled.endExempt();
    expect(bans()).toEqual(["203.0.113.2 default"]);
    expect(said.join()).toContain("Ended 1 ban that met an address of ignoreip: 203.0.113.1");
  });

  it("moves bans of a target that is gone: to their jail's target, their origin's, else to the first", async () => {
    const { ban, take, bans, said, settled } = started();
    ban("203.0.113.1", { target: "slow", jail: "sshd" });
    ban("203.0.113.2", { target: "slow", origin: "scorer" });
    ban("203.0.113.3", { target: "slow", origin: "operator" });
    ban("203.0.113.4", { target: "slow", jail: "gone" });
    ban("203.0.113.5", { target: "far" });
    await take(config());
    expect(bans()).toEqual([
      "203.0.113.1 web",
      "203.0.113.2 far",
      "203.0.113.3 default",
      "203.0.113.4 default",
      "203.0.113.5 far",
    ]);
    const sentences = [
      "1 ban of the target slow, which is not in the configuration: moved to web",
      "1 ban of the target slow, which is not in the configuration: moved to far",
      "2 bans of the target slow, which is not in the configuration: moved to default",
    ];
    expect(said.toSorted()).toEqual(sentences.toSorted());
    expect(settled.takeNews()).toHaveLength(3);
    expect(settled.takeNews()).toEqual([]);
  });

  it("merges a moved ban with one that is there, and drops an expired one", async () => {
    const { ban, take, bans, book, clock } = started();
    ban("203.0.113.1", { target: "slow", until: START + 2 * HOUR });
    ban("203.0.113.1");
    ban("203.0.113.2", { target: "slow", until: START + MINUTE });
    clock.advance(2 * MINUTE);
    await take(config());
    expect(bans()).toEqual(["203.0.113.1 default"]);
    expect(book.at(prefix("203.0.113.1"), "default", clock.now())?.until).toBe(START + 2 * HOUR);
  });

  it("ends bans of addresses that a new ignoreip names, also of one jail, and of networks that hold one", async () => {
    const { ban, take, bans, said } = started();
    ban("203.0.113.1");
    ban("203.0.113.0/24");
    ban("198.51.100.1", { jail: "sshd" });
    ban("198.51.100.2", { jail: "other" });
    ban("2001:db8::/32", { origin: "operator" });
    await take(config());
    expect([bans().length, said]).toEqual([5, []]);
    const base = config();
    const jails = base.jails.map((jail) => ({ ...jail, ignoreip: [prefix("198.51.100.0/24")] }));
    await take({ ...base, jails, ignoreip: [prefix("203.0.113.1"), prefix("2001:db8::7")] });
    expect(bans()).toEqual(["198.51.100.2 default"]);
    expect(said).toEqual([
      expect.stringMatching(
        /^Ended 4 bans that met an address of ignoreip: 203\.0\.113\.1, \S+, \S+ and 1 more$/,
      ),
    ]);
  });

  it("ends the ban of an address that becomes the machine's own, unless the configuration says otherwise", async () => {
    const { ban, take, bans, exempt, settled, said } = started();
    ban("203.0.113.77");
    await take(config());
    exempt.own.replace([prefix("203.0.113.77")]);
    await settled.endExempt();
    expect(bans()).toEqual([]);
    expect(said).toEqual(["Ended 1 ban that met an address of this machine or its gateway: 203.0.113.77"]);
    await take(config({ ignoreSelf: false }));
    ban("203.0.113.77");
    exempt.own.replace([prefix("203.0.113.77"), prefix("203.0.113.8")]);
    await settled.endExempt();
    expect(bans()).toEqual(["203.0.113.77 default"]);
  });
});
