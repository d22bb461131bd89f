import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../../test/support/waiting.ts";
import { systemClock } from "../core/clock.ts";
import { RemoteAccess } from "./remote-access.ts";
import type { Settings } from "./feature.ts";

function access(said: string[] = []) {
  const log = { info: (sentence: string) => said.push(sentence) };
  const feature = new RemoteAccess({} as never, systemClock, log as never);
  onTestFinished(() => feature.close());
  return feature;
}

function listening(port: number, tls: { cert: string; key: string } | null = null): Settings {
  const api = { listen: [{ host: "127.0.0.1", port }], tls, tokens: [], hosts: [] };
  return { config: { api } as never, filters: new Map() };
}

const NONE: Settings = { config: { api: null } as never, filters: new Map() };

/** A port of loopback that another program listens on, until it is freed. */
async function takenPort() {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const free = () => new Promise<void>((resolve) => void other.close(() => resolve()));
  onTestFinished(() => void other.close());
  return { port: (other.address() as AddressInfo).port, free };
}

it("an API whose port is taken is in trouble at the start, and opens when the port is free", async () => {
  const { port, free } = await takenPort();
  const feature = access();
  await feature.follow(listening(port));
  const sentence = `Cannot listen on 127.0.0.1:${port}: the address is in use`;
  expect(feature.troubles()).toEqual([{ of: "the API", sentence }]);
  const now = systemClock.now();
  feature.tick(now + 500);
  await free();
  expect(feature.troubles()).toHaveLength(1);
  feature.tick(now + 3000);
  await eventually(() => expect(feature.troubles()).toEqual([]));
  expect(feature.status().api).toMatchObject({ addresses: [`127.0.0.1:${port}`] });
});

it("an API whose certificate is missing is in trouble, until the section is taken out", async () => {
  const feature = access();
  await feature.follow(listening(0, { cert: "/none/cert", key: "/none/key" }));
  expect(feature.troubles()[0]?.sentence).toBe(
    "Cannot read the API's certificate /none/cert: no such file or directory",
  );
  await feature.follow(NONE);
  expect(feature.troubles()).toEqual([]);
});

it("a reload that cannot open the new API is refused while the old one is open", async () => {
  const feature = access();
  await feature.follow(listening(0));
  const before = feature.status().api?.addresses;
  await expect(feature.follow(listening(0, { cert: "/none/cert", key: "/none/key" }))).rejects.toThrow(
    "Cannot read the API's certificate /none/cert",
  );
  expect([feature.status().api?.addresses, feature.troubles()]).toEqual([before, []]);
  const { port } = await takenPort();
  await expect(feature.follow(listening(port))).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}`);
});

it("says where it listens when that is new, not when a reload is rolled back", async () => {
  const said: string[] = [];
  const feature = access(said);
  const [old, other] = [await takenPort(), await takenPort()];
  await old.free();
  await feature.follow(listening(old.port));
  await expect(feature.follow(listening(other.port))).rejects.toThrow("the address is in use");
  await feature.follow(listening(old.port));
  expect(said).toEqual([`The API listens on 127.0.0.1:${old.port} without TLS`]);
  await other.free();
  await feature.follow(listening(other.port));
  await feature.follow(NONE);
  await feature.follow(listening(other.port));
  expect(said.slice(1)).toEqual(Array(2).fill(`The API listens on 127.0.0.1:${other.port} without TLS`));
});
