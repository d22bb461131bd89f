import { expect, it } from "vitest";
import { good, jail } from "../../../test/support/read-config-text.ts";
import { Book } from "../../book/book.ts";
import { parseAddress } from "../../core/address.ts";
import { OwnAddresses } from "../../jail/ignore.ts";
import { Jails } from "../jails.ts";
import type { Run } from "./ignore-runs.ts";

const NOW = Date.UTC(2026, 10, 20);

it("an ignorecommand that answers after the ban ends it, and later failures do not count", async () => {
  const config = good(jail("maxretry: 2", "ignorecommand: [/bin/friend, '{address}']", "ignorecache: 1h"));
  expect(config.jails[0]?.ignoreCommand).toEqual({ argv: ["/bin/friend", "{address}"], remember: 3_600_000 });
  const ends: Run["ended"][] = [];
  const book = new Book({ capacity: 10, changes: 10 });
  const jails = new Jails({
    book,
    exempt: { own: new OwnAddresses() },
    now: () => NOW,
    run: () => new Promise((resolve) => ends.push(resolve)),
    offloaded: () => ({ kernel: false, capped: 0 }) as never,
  });
  jails.follow({ config, filters: new Map() });
  const sshd = jails.all[0]!.jail;
  const address = parseAddress("2001:db8::1")!;
  const fail = () => sshd.decide({ address, at: NOW, count: 1 }, null, NOW);
  expect(fail().kind).toBe("counted");
  const decision = fail();
  if (decision.kind === "ban") book.ban(decision.ban);
  // A ban by hand is not the jail's.
  book.ban({ ...[...book.bans()][0]!, target: "other", origin: "operator" });
  expect([book.bansOf("sshd"), ends.length]).toEqual([2, 1]);

  ends[0]?.({ how: "exited", status: 0, fact: null });
  await new Promise((resolve) => setImmediate(resolve));
  expect([...book.bans()].map(({ target }) => target)).toEqual(["other"]);
  expect(fail()).toEqual({ kind: "ignored", reason: "allow-listed" });
  expect(jails.status().ignorecommand).toMatchObject({ asked: 1, found: 1 });
});
