import { setTimeout as sleep } from "node:timers/promises";
import { Breach } from "./scenario.ts";
import type { Site } from "./site.ts";

/** Addresses that the nftables sets of our table hold, as nft prints them. */
export function inKernel(site: Site): ReadonlySet<string> {
  const listing = site.server.run("nft", "-j", "list", "ruleset");
  const { nftables } = JSON.parse(listing) as { nftables: { set?: NftSet }[] };
  return new Set(
    nftables.flatMap(({ set }) => (set?.table === "stoplog" ? (set.elem ?? []) : [])).map(addressOf),
  );
}

/** The book has exactly these addresses. */
export function expectBook(site: Site, expected: ReadonlySet<string>, tolerated: ReadonlySet<string>): void {
  const book = new Set(site.bans().map(({ address }) => address));
  const missing = [...expected].filter((address) => !book.has(address));
  const wrong = [...book].filter((address) => !expected.has(address) && !tolerated.has(address));
  if (missing.length > 0) throw new Breach(`not banned: ${some(missing)}`);
  if (wrong.length > 0) throw new Breach(`banned without a reason: ${some(wrong)}`);
}

/** The kernel holds what `list` shows, and nothing else. The last changes may be on their way: it has two seconds. */
export async function expectKernelIsBook(site: Site): Promise<void> {
  let difference = "";
  for (let tries = 0; tries < 20; tries++) {
    const book = new Set(site.bans().map(({ address }) => address));
    const kernel = inKernel(site);
    const missing = [...book].filter((address) => !kernel.has(address));
    const extra = [...kernel].filter((address) => !book.has(address));
    if (missing.length === 0 && extra.length === 0) return;
    difference = `in the book only: ${some(missing)}; in the kernel only: ${some(extra)}`;
    await sleep(100);
  }
  throw new Breach(`the kernel does not hold the book: ${difference}`);
}

/** No packet passes from what `list` shows as banned, and packets of the others do. */
export async function expectPackets(
  site: Site,
  { banned, free }: { readonly banned: readonly string[]; readonly free: readonly string[] },
): Promise<void> {
  for (const address of banned)
    if (await site.passes(address)) throw new Breach(`packets of ${address} pass, which is banned`);
  for (const address of free)
    if (!(await site.passes(address)) && !(await site.passes(address)))
      throw new Breach(`packets of ${address} do not pass, which is not banned`);
}

interface NftSet {
  readonly table: string;
  readonly elem?: readonly NftElement[];
}

/** `nft -j`: an address, or an object around it when it has a time-out. */
type NftElement =
  | string
  | { readonly elem: { readonly val: NftElement } }
  | { readonly prefix: { readonly addr: string; readonly len: number } };

function addressOf(element: NftElement): string {
  if (typeof element === "string") return element;
  if ("elem" in element) return addressOf(element.elem.val);
  return `${element.prefix.addr}/${element.prefix.len}`;
}

function some(addresses: readonly string[]): string {
  const shown = addresses.slice(0, 5).join(", ");
  return addresses.length === 0 ? "none" : `${addresses.length} (${shown})`;
}
