// @ts-check
// npm run test:arm [-- ARGUMENTS]: installs what guests need, then boots them (test/arm/run.ts has the arguments).

import { fileURLToPath } from "node:url";
import { providePackages } from "./debian-packages.mjs";
import { prepare } from "./prepare.mjs";
import { run } from "./run.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
await providePackages(
  { for: "guests", who: "guests with an ARM processor", otherwise: "Guests that need them cannot start." },
  (text) => console.log(text),
);
if (!(await prepare())) process.exit(2);
const program = ["scripts/run-ts.mjs", "test/arm/run.ts"];
const { code } = await run(process.execPath, [...program, ...process.argv.slice(2)], { show: true });
process.exitCode = code;
