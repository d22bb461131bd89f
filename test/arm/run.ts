// npm run test:arm                    guests with a 64-bit and a 32-bit ARM processor
// npm run test:arm -- --arch arm64    one of them; amd64 is a quick check of the same
//   --minutes N                       for each guest at most (40)
//
// Boots Debian 13 with systemd under QEMU, installs the package there, attacks it, reboots, and looks whether the bans are back. Needs root
// and, the first time, the network. Exit status 1 when something failed.

import { readArguments } from "../support/arguments.ts";
import { hasProgram } from "../support/namespace.ts";
import { MACHINES } from "./machines.ts";
import { trial } from "./trial.ts";

const USAGE = "npm run test:arm -- [--arch arm64,armhf,amd64] [--minutes N, for each guest at most]";
const given = readArguments("start a guest", USAGE, { arch: "text", minutes: "number" });
const arch = given.text("arch") ?? "arm64,armhf";
const minutes = given.number("minutes") ?? 40;
const chosen = MACHINES.filter(({ name }) => arch.split(",").includes(name));
const programs = [...chosen.map(({ qemu }) => qemu.split(" ")[0] ?? ""), "debootstrap", "mkfs.ext4"];
const missing = programs.filter((program) => !hasProgram(program));
if (chosen.length === 0 || missing.length > 0 || process.getuid?.() !== 0) {
  const names = MACHINES.map(({ name }) => name).join(", ");
  const need = missing.length > 0 ? `needs ${missing.join(", ")}` : "needs root";
  process.stderr.write(
    `Cannot start a guest: ${chosen.length === 0 ? `there is no ${arch}; there are ${names}` : need}\n`,
  );
  process.exit(2);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const results: string[] = [];
let failed = 0;
for (const machine of chosen) {
  say(`${machine.name}: ${machine.what}`);
  const { passed, failures } = await trial(machine, minutes, say);
  failed += failures.length;
  results.push(`${machine.name}: ${passed} checks passed, ${failures.length} failed`);
  for (const failure of failures) results.push(`  ${failure}`);
}
for (const line of results) say(line);
say(
  failed === 0
    ? "The packages install, ban, and hold their bans over a reboot on every machine."
    : "Something failed: see above.",
);
process.exit(failed === 0 ? 0 : 1);
