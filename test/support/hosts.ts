import { afterAll, beforeAll } from "vitest";
import { join, Namespace } from "./namespace.ts";

/** A namespace for the tests of a describe block: made before the first of them, removed after the last. */
export function useNamespace(label: string): Namespace {
  const namespace = Namespace.named(label);
  beforeAll(() => namespace.make());
  afterAll(() => namespace.remove());
  return namespace;
}

/** The same, with the test process inside while the tests run: its sockets and the programs it starts belong to the namespace. */
export function enterNamespace(label: string): Namespace {
  const namespace = useNamespace(label);
  let leave = (): void => {};
  beforeAll(() => {
    leave = namespace.enter();
  });
  afterAll(() => leave());
  return namespace;
}

/** Two hosts joined by a cable, for the tests of a describe block; each with its addresses and their prefix lengths. */
export function useServerAndAttacker(
  server: readonly string[] = ["192.0.2.1/24", "2001:db8::1/64"],
  attacker: readonly string[] = ["192.0.2.66/24", "192.0.2.67/24", "2001:db8::66/64"],
): { readonly server: Namespace; readonly attacker: Namespace } {
  const hosts = { server: useNamespace("server"), attacker: useNamespace("attacker") };
  beforeAll(() =>
    join({ namespace: hosts.server, addresses: server }, { namespace: hosts.attacker, addresses: attacker }),
  );
  return hosts;
}
