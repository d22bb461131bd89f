import { spawnSync } from "node:child_process";

/**
 * Makes one network namespace before the first test. The first `ip netns add` mounts /run/netns; two at the same time would mount
 * it twice, and the upper mount hides the namespaces below it.
 */
export function setup(): void {
  const name = `stoplog-mount-${process.pid}-0`;
  spawnSync("ip", ["netns", "add", name]);
  spawnSync("ip", ["netns", "del", name]);
}
