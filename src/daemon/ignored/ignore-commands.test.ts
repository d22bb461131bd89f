import { describe, expect, it } from "vitest";
import type { JailConfig } from "../../config/config.ts";
import { parseAddress } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { MINUTE } from "../../core/time.ts";
import { IgnoreCommands } from "./ignore-commands.ts";
import type { Run, RunProgram } from "./ignore-runs.ts";

const at = (text: string) => parseAddress(text)!;

/** Commands whose runs end when the test says so. */
function started(argv: readonly string[] = ["/bin/friend", "{address}"]) {
  let now = 1_000_000;
  const ran: (readonly string[])[] = [];
  const ends: Run["ended"][] = [];
  const ignored: string[] = [];
  const run: RunProgram = (words) => {
    ran.push(words);
    return new Promise((resolve) => ends.push(resolve));
  };
  const commands = new IgnoreCommands({
    now: () => now,
    ignored: (jail, { w3 }) => void ignored.push(`${jail} ${w3 & 255}`),
    run,
  });
  const jail = (name: string, words = argv) =>
    ({ name, ignoreCommand: { argv: words, remember: 5 * MINUTE } }) as unknown as JailConfig;
  commands.follow([jail("sshd"), jail("web", ["/bin/web", "{jail}", "{family}"])]);
  const end = async (status: number | null, fact: string | null = null): Promise<void> => {
    ends.shift()?.({ how: status === null ? "timed out" : "exited", status, fact });
    await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = (time: number): number => (now += time);
  return { commands, sshd: commands.of("sshd")!, ran, ignored, jail, end, pass, now: () => now };
}

describe("an ignorecommand", () => {
  it("is asked once about an address, with the address as an argument; status 0 ignores it for a time", async () => {
    const { sshd, ran, ignored, end, pass, now } = started();
    sshd.ask(at("192.0.2.1"), now());
    sshd.ask(at("192.0.2.1"), now());
    expect(ran).toEqual([["/bin/friend", "192.0.2.1"]]);
    expect(sshd.has(at("192.0.2.1"), now())).toBe(false);
    await end(0);
    expect([sshd.has(at("192.0.2.1"), now()), ignored]).toEqual([true, ["sshd 1"]]);
    expect(sshd.meets(parsePrefix("192.0.2.0/24")!, now())).toBe(true);
    expect(sshd.meets(parsePrefix("198.51.100.0/24")!, now())).toBe(false);
    pass(5 * MINUTE);
    expect(sshd.has(at("192.0.2.1"), now())).toBe(false);
    sshd.ask(at("192.0.2.1"), now());
    expect(ran.length).toBe(2);
  });

  it("counts an address as others when it says 1, fails, hangs or cannot start, and says which", async () => {
    const { commands, sshd, ran, ignored, end, now } = started();
    const ask = (n: number): void => sshd.ask(at(`192.0.2.${n}`), now());
    ask(1);
    await end(1, "friend exited with 1");
    expect([...commands.troubles()]).toEqual([]);
    ask(2);
    await end(null, "friend took longer than 10s");
    expect([...commands.troubles()]).toEqual([
      {
        of: "ignorecommand of sshd",
        sentence: "Cannot ask the ignorecommand of jail sshd: friend took longer than 10s",
      },
    ]);
    ask(3);
    await end(3, "friend exited with 3");
    for (const n of [1, 2, 3]) ask(n);
    expect([ran.length, ignored, [1, 2, 3].some((n) => sshd.has(at(`192.0.2.${n}`), now()))]).toEqual([
      3,
      [],
      false,
    ]);
    expect(commands.figures).toEqual({ asked: 3, found: 0, failed: 2, dropped: 0, forgotten: 0 });
    ask(4);
    await end(0);
    expect([...commands.troubles()]).toEqual([]);
  });

  it("keeps its answers over a reload, unless it changed", async () => {
    const { commands, sshd, jail, end, now } = started();
    sshd.ask(at("192.0.2.1"), now());
    await end(0);
    commands.follow([jail("sshd")]);
    expect([commands.of("sshd") === sshd, commands.of("web")]).toEqual([true, null]);
    commands.follow([jail("sshd", ["/bin/other"])]);
    expect(commands.of("sshd")?.has(at("192.0.2.1"), now())).toBe(false);
  });

  it("[limit: ignoreRunning] [limit: ignoreWaiting] runs a few at a time, and drops what is too much", async () => {
    const { commands, ran, end, now } = started();
    const web = commands.of("web")!;
    const all = LIMITS.ignoreRunning.value + LIMITS.ignoreWaiting.value + 7;
    for (let n = 0; n < all; n++) web.ask(at(`2001:db8::${n.toString(16)}`), now());
    expect(ran.length).toBe(LIMITS.ignoreRunning.value);
    expect(ran[0]).toEqual(["/bin/web", "web", "inet6"]);
    expect(commands.figures.dropped).toBe(7);
    await end(1);
    expect(ran.length).toBe(LIMITS.ignoreRunning.value + 1);
  });

  it("[limit: ignoreAnswers] forgets the oldest answers", async () => {
    const { commands, sshd, end, now } = started();
    for (let n = 0; n <= LIMITS.ignoreAnswers.value; n++) {
      sshd.ask(at(`10.0.${n >> 8}.${n & 255}`), now());
      await end(1);
    }
    expect(commands.figures.forgotten).toBe(1);
  });
});
