import { Argument, type Command } from "commander";
import { readText } from "../../config/read-text.ts";
import { cannot, StoplogError } from "../../core/errors.ts";
import { replaceFile } from "../../core/replace-file.ts";
import type { Imported } from "../../import/imported.ts";
import type { Cli } from "../cli.ts";
import { DONE, type ExitStatus } from "../output/io.ts";
import { printable } from "../../core/printable.ts";

interface ImportOptions {
  readonly output?: string;
  readonly json?: true;
}

/** What `import --json` prints. */
interface ImportReport {
  readonly from: Origin;
  readonly path: string;
  /** The text of a stoplog.yaml. */
  readonly config: string;
  readonly differences: readonly string[];
}

export function defineImport(program: Command, cli: Cli): void {
  program
    .command("import")
    .description(
      "convert another program's configuration to a stoplog.yaml; differences go to standard error",
    )
    .addArgument(new Argument("<from>", "the program").choices(Object.keys(ORIGINS)))
    .argument("[path]", "its file or folder (default: /etc/fail2ban, /etc/banban.yml, /etc/swabber.yaml)")
    .option("-o, --output <file>", "write to this file instead of standard output")
    .option("--json", "one JSON document with the differences")
    .action(
      cli.act(async (from: Origin, given: string | undefined, options: ImportOptions) => {
        const { path: standard, convert } = ORIGINS[from];
        const path = given ?? standard;
        const { text, differences } = await convert(path);
        return deliver({ from, path, config: text, differences }, options, cli);
      }),
    );
}

type Origin = keyof typeof ORIGINS;

const ORIGINS = {
  fail2ban: {
    path: "/etc/fail2ban",
    convert: async (path: string): Promise<Imported> => {
      const { importFail2ban } = await import("../../import/fail2ban/import-fail2ban.ts");
      const { disk } = await import("../../import/fail2ban/disk.ts");
      (await import("../../config/precompile.ts")).usePrecompiled();
      (await import("../../match/filter/filter.ts")).rememberCompilations();
      return importFail2ban(path, disk, Date.now());
    },
  },
  banban: {
    path: "/etc/banban.yml",
    convert: async (path: string): Promise<Imported> => {
      const { importBanban } = await import("../../import/banban/import-banban.ts");
      const { savedRules } = await import("../../import/banban/recent-rules.ts");
      return importBanban(textOf(path), path, await savedRules());
    },
  },
  swabber: {
    path: "/etc/swabber.yaml",
    convert: async (path: string): Promise<Imported> =>
      (await import("../../import/swabber/import-swabber.ts")).importSwabber(textOf(path), path),
  },
} as const;

function textOf(path: string): string {
  const read = readText(path);
  if ("fact" in read) throw new StoplogError(`Cannot read ${path}: ${read.fact}`);
  return read.text;
}

async function deliver(report: ImportReport, options: ImportOptions, cli: Cli): Promise<ExitStatus> {
  if (options.output !== undefined) await write(options.output, report.config);
  if (options.json) {
    await cli.json(report);
    return DONE;
  }
  if (options.output === undefined) await cli.out.write(report.config);
  for (const difference of report.differences) cli.io.stderr.write(`${printable(difference)}\n`);
  return DONE;
}

/** Atomically, and readable for the user that the daemon runs as. */
async function write(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, [text], { mode: 0o644 });
  } catch (error) {
    throw cannot(`write ${path}`, error);
  }
}
