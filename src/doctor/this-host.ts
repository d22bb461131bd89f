import { spawnSync } from "node:child_process";
import { packageRoot } from "../config/package-root.ts";
import { loadNative, nativeFault } from "../kernel/native/libc.ts";
import type { Instant } from "../core/time.ts";
import type { Host } from "./host.ts";
import { hostAt } from "./host-at.ts";

/** This machine, as this process sees it. */
export function thisHost(now: Instant, path: string): Host {
  const fault = nativeFault();
  return hostAt("", path, {
    now,
    uid: process.geteuid?.() ?? -1,
    nodeVersion: process.versions.node,
    nativeFault: fault,
    clockSynchronised: fault === null ? askClock() : null,
    iptables: askIptables(),
    nftTables: askNft(),
    packageRoot: packageRoot(),
  });
}

function askIptables(): string | null {
  const printed = ["iptables-save", "ip6tables-save", "iptables-legacy-save", "ip6tables-legacy-save"].map(
    (program) => spawnSync(program, { encoding: "utf8", timeout: LONGEST, maxBuffer: 1 << 26 }),
  );
  const texts = printed.flatMap(({ status, stdout }) => (status === 0 ? [stdout] : []));
  return texts.length === 0 ? null : texts.join("");
}

function askNft(): string | null {
  const { status, stdout } = spawnSync("/usr/sbin/nft", ["list", "tables"], {
    encoding: "utf8",
    timeout: LONGEST,
  });
  return status === 0 ? stdout : null;
}

/** Milliseconds. */
const LONGEST = 10_000;

/** adjtimex(2) without modes only reads, and needs no rights. TIME_ERROR means that the clock is not synchronised. */
function askClock(): boolean | null {
  const { library } = loadNative();
  try {
    const adjtimex = library.func("adjtimex", "int", ["void *"]) as (timex: Uint8Array) => number;
    const state = adjtimex(new Uint8Array(TIMEX_BYTES));
    return state < 0 ? null : state !== TIME_ERROR;
  } catch {
    return null;
  }
}

/** linux/timex.h: struct timex has 208 bytes on 64-bit machines. */
const TIMEX_BYTES = 256;
const TIME_ERROR = 5;
