import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { ProxyEnforcer } from "../../src/enforce/proxy/enforcer.ts";
import type { ProxyTarget } from "../../src/enforce/proxy/kind.ts";
import { enforcerConformance } from "./enforcer.ts";

const folder = mkdtempSync(join(tmpdir(), "stoplog-proxy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

enforcerConformance("proxy", {
  make: () => new ProxyEnforcer({ writeEvery: 0 }),
  outlives: true,
  bounded: false,
  tolerance: 0,
  knowsEnds: false,
  rounds: 20,
  targets: [target("default"), target("slow"), target("web")],
  change: rewritten,
});

function rewritten(target: object): ProxyTarget {
  return { ...(target as ProxyTarget), mode: 0o640 };
}

function target(name: string): ProxyTarget {
  return {
    name,
    enforcer: "proxy",
    format: "nginx-geo",
    path: join(folder, name),
    mode: 0o644,
    reload: null,
    reloadEvery: 1000,
    socket: null,
    timeout: 1000,
  };
}
