import { closeSync, openSync, writeSync } from "node:fs";
import type { Command } from "commander";
import { cannot } from "../../core/errors.ts";
import type { CurveKeys } from "../../bus/zmq/curve-keys.ts";
import type { Cli } from "../cli.ts";
import { DONE } from "../output/io.ts";

interface KeygenOptions {
  readonly output?: string;
  readonly json?: true;
}

export function defineKeygen(program: Command, cli: Cli): void {
  program
    .command("keygen")
    .description("make a key pair for ØMQ's encryption (CURVE)")
    .option("-o, --output <prefix>", "write PREFIX.key (mode 0600) and PREFIX.pub")
    .option("--json", "one JSON document: {publicKey, secretKey}, or {publicKey, files} with --output")
    .action(
      cli.act(async (options: KeygenOptions) => {
        const { newCurveKeys } = await import("../../bus/zmq/curve-keys.ts");
        const keys = newCurveKeys();
        const { output } = options;
        const files = output === undefined ? null : writeKeys(output, keys);
        if (options.json) await cli.json(files === null ? keys : { publicKey: keys.publicKey, files });
        else if (files === null)
          await cli.out.lines([`public ${keys.publicKey}`, `secret ${keys.secretKey}`]);
        else await cli.out.lines([`Wrote ${files.join(" and ")}`, `public ${keys.publicKey}`]);
        return DONE;
      }),
    );
}

/** Never overwrites a file: a lost key cannot be recovered. */
function writeKeys(prefix: string, { publicKey, secretKey }: CurveKeys): readonly string[] {
  const files = [
    { path: `${prefix}.key`, text: secretKey, mode: 0o600 },
    { path: `${prefix}.pub`, text: publicKey, mode: 0o644 },
  ];
  for (const { path, text, mode } of files) {
    try {
      const fd = openSync(path, "wx", mode);
      writeSync(fd, `${text}\n`);
      closeSync(fd);
    } catch (thrown) {
      const exists = (thrown as NodeJS.ErrnoException).code === "EEXIST";
      throw cannot(`write ${path}`, exists ? "it exists already" : thrown);
    }
  }
  return files.map(({ path }) => path);
}
