// @ts-check
// npm start [-- ARGUMENTS]: prepares the checkout, then runs the daemon in the foreground.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { prepare } from "./prepare.mjs";

if (!(await prepare())) process.exit(2);

const launcher = fileURLToPath(new URL("../bin/stoplog", import.meta.url));
const daemon = spawn(launcher, ["run", ...process.argv.slice(2)], { stdio: "inherit" });

for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"])) {
  process.on(signal, () => daemon.kill(signal));
}
// The terminal sends Ctrl-C to the daemon too; a second SIGINT would end it at once.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) daemon.kill("SIGINT");
});

daemon.on("error", (error) => {
  console.error(`${launcher}: ${error.message}`);
  process.exit(2);
});
daemon.on("exit", (code, signal) => {
  process.exit(signal === null ? (code ?? 2) : 128 + constants.signals[signal]);
});
