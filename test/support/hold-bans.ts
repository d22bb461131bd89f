// A process that bans its arguments, prints 'holding' and stays, until it is killed or while it blocks others.
import { parsePrefix } from "../../src/core/prefix.ts";
import { FOREVER } from "../../src/core/time.ts";
import { NftablesEnforcer } from "../../src/enforce/nftables/enforcer.ts";

try {
  const enforcer = new NftablesEnforcer();
  await enforcer.open(
    [{ name: "default", enforcer: "nftables", verdict: { kind: "drop" }, ports: [], protocols: [] }],
    () => {},
  );
  const bans = process.argv.slice(2).flatMap((text) => {
    const prefix = parsePrefix(text);
    return prefix === null ? [] : [{ kind: "ban", prefix, target: "default", until: FOREVER } as const];
  });
  const refusals = await enforcer.apply(bans, Date.now());
  console.log(refusals.length === 0 ? "holding" : refusals[0]?.fact);
  setInterval(() => {}, 1000);
} catch (thrown) {
  console.log((thrown as Error).message);
}
