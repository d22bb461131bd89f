import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import type { Namespace } from "./namespace.ts";
import type { Flooded, FloodTask } from "./packet-flood.ts";

/** Starts the sender inside a namespace; the returned function waits for its end. */
export function startFlood(namespace: Namespace, task: FloodTask): () => Promise<Flooded> {
  const root = packageRoot();
  const program = [join(root, "scripts/run-ts.mjs"), join(root, "test/support/packet-flood.ts")];
  const child = spawn(
    "ip",
    ["netns", "exec", namespace.name, process.execPath, ...program, JSON.stringify(task)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close");
  return async () => {
    await ended;
    if (output === "") throw new Error("the sender of packets has failed");
    return JSON.parse(output) as Flooded;
  };
}
