import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "./feature.ts";
import { MetricsListener } from "./metrics-listener.ts";
import { eventually } from "../../test/support/waiting.ts";

const said: string[] = [];
const feature = new MetricsListener({
  log: { error: say, warn: say, info: say, debug: say },
  warn: say,
  status: () => ({ version: "1.2.3" }),
});

function say(sentence: string): void {
  said.push(sentence);
}

afterEach(async () => {
  await feature.close();
  said.length = 0;
});

/** Settings of which the feature looks at `metrics` alone. */
function settings(metrics: { readonly host: string; readonly port: number } | null): Settings {
  return { config: { metrics }, filters: new Map() } as unknown as Settings;
}

const address = (): string => feature.status().metrics?.address ?? "";

async function taken(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe("MetricsListener", () => {
  it("serves the status document while it is configured, and nothing afterwards", async () => {
    expect(feature.status()).toEqual({ metrics: null });
    await feature.follow(settings({ host: "127.0.0.1", port: 0 }));
    expect(said).toEqual([`Metrics are at http://${address()}/metrics`]);
    const text = await (await fetch(`http://${address()}/metrics`)).text();
    expect(text).toContain('stoplog_build_info{version="1.2.3"} 1\n');
    const before = address();
    await feature.follow(settings(null));
    expect(feature.status()).toEqual({ metrics: null });
    await expect(fetch(`http://${before}/metrics`)).rejects.toThrow();
  });

  it("keeps running through a reload that does not concern it, and moves in one that does", async () => {
    await feature.follow(settings({ host: "127.0.0.1", port: 0 }));
    const before = address();
    await feature.follow(settings({ host: "127.0.0.1", port: 0 }));
    expect(address()).toBe(before);
    await feature.follow(settings({ host: "::1", port: 0 }));
    expect(address()).toMatch(/^\[::1\]:\d+$/);
  });

  it("is in trouble while its port is taken, and listens once it is not", async () => {
    const { server, port } = await taken();
    await feature.follow(settings({ host: "127.0.0.1", port }));
    const sentence = `Cannot serve metrics on 127.0.0.1:${port}: the address is in use`;
    expect([feature.troubles(), address()]).toEqual([[{ of: "the metrics listener", sentence }], ""]);
    await new Promise((resolve) => server.close(resolve));
    feature.tick(1_000_000);
    await eventually(() => expect(address()).toBe(`127.0.0.1:${port}`));
    expect(feature.troubles()).toEqual([]);
    await eventually(() => expect(said.at(-1)).toBe(`Metrics are at http://127.0.0.1:${port}/metrics`));
  });
});
