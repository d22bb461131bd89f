import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FAIL2BAN_METRICS } from "../api/fail2ban/stats.ts";
import { SECOND } from "../core/time.ts";
import { eventually } from "../../test/support/waiting.ts";
import { Fail2banDoor } from "./fail2ban-door.ts";
import type { Settings } from "./feature.ts";

describe("Fail2banDoor", () => {
  let folder: string;
  let door: Fail2banDoor;
  const said: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-door-"));
    said.length = 0;
    const log = { info: (sentence: string) => said.push(sentence) } as never;
    const answer = () => Promise.resolve({ value: null });
    door = new Fail2banDoor({ answer, stats: FAIL2BAN_METRICS.zero(), log });
  });
  afterEach(async () => {
    await door.close();
    rmSync(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);
  const settings = (path: string | null): Settings =>
    ({ config: { fail2banSocket: path }, filters: new Map() }) as unknown as Settings;

  it("follows the configuration", async () => {
    await door.follow(settings(at("a")), "start");
    expect(door.status()).toMatchObject({ fail2ban: { socket: at("a"), commands: 0 } });
    await door.follow(settings(at("b")), "reload");
    expect([existsSync(at("a")), existsSync(at("b"))]).toEqual([false, true]);
    await door.follow(settings(null), "reload");
    expect(existsSync(at("b"))).toBe(false);
    expect(door.status()).toMatchObject({ fail2ban: { socket: null } });
    expect(said).toEqual([`fail2ban's socket is at ${at("a")}`, `fail2ban's socket is at ${at("b")}`]);
  });

  it("is in trouble as long as the path is taken, and opens then", async () => {
    writeFileSync(at("a"), "");
    await door.follow(settings(at("a")), "start");
    expect([...door.troubles()].map(({ sentence }) => sentence)).toEqual([
      `Cannot listen on ${at("a")}: it is not a socket; remove it, or name another path`,
    ]);
    rmSync(at("a"));
    let now = 0;
    await eventually(() => {
      door.tick((now += 3 * SECOND));
      expect(door.status()).toMatchObject({ fail2ban: { socket: at("a") } });
    });
    expect(door.troubles()).toEqual([]);
  });

  it("refuses a reload to a path that is taken, and keeps the old one open", async () => {
    await door.follow(settings(at("a")), "start");
    writeFileSync(at("b"), "");
    await expect(door.follow(settings(at("b")), "reload")).rejects.toThrow("it is not a socket");
    await door.follow(settings(at("a")), "rollback");
    expect(door.status()).toMatchObject({ fail2ban: { socket: at("a") } });
    expect(door.troubles()).toEqual([]);
  });
});
