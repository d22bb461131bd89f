import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { good } from "../../test/support/read-config-text.ts";
import { until } from "../../test/support/waiting.ts";
import { type Address, parseAddress } from "../core/address.ts";
import { MINUTE } from "../core/time.ts";
import { Lists } from "./lists.ts";

// Addresses of documentation (RFC 5737) are in no list.
const at = (text: string): Address => parseAddress(text)!;

describe("Lists", () => {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-lists-test-"));
  let lists: Lists | null = null;
  afterEach(async () => {
    await lists?.close({ flush: false });
    rmSync(folder, { recursive: true, force: true });
  });

  it("takes out addresses from which a user is logged in, as long as they are", async () => {
    const path = join(folder, "blocked");
    writeFileSync(path, "9.9.9.0/24\n2620:fe::/64\n");
    let sessions = [at("9.9.9.7"), at("203.0.113.9")];
    const said: string[] = [];
    const say = (sentence: string): void => void said.push(sentence);
    lists = new Lists(null, {
      log: { info: say, warn: say, error: say },
      warn: say,
      own: () => [],
      sessions: () => sessions,
      version: "0",
      dryRun: true,
    });
    const { ignoreip, ignoreSelf, ...config } = good(`lists: { bad: { file: ${path}, verdict: drop } }`);
    await lists.follow({ lists: config.lists, ignoreip, ignoreSelf });
    const isListed = (text: string): boolean => (lists?.on(at(text)) ?? []).length > 0;
    await until("the list is read", () => isListed("9.9.9.8"));
    expect([isListed("9.9.9.7"), isListed("2620:fe::7")]).toEqual([false, true]);
    expect(said).toContain("List bad: 9.9.9.7 is an address from which a user is logged in: taken out");

    sessions = [at("2620:fe::7")];
    lists.tick(2 * MINUTE);
    await until("the session that ended is listed again", () => isListed("9.9.9.7"));
    await until("the new session is taken out", () => !isListed("2620:fe::7"));
  });
});
