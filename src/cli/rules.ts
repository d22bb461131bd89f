import type { Command } from "commander";
import { StoplogError } from "../core/errors.ts";
import { readConfig } from "./check.ts";
import { type Cli, configPath } from "./cli.ts";
import { DONE, NEGATIVE } from "./io.ts";
import { CONFIG_OPTION } from "./run.ts";

interface RulesOptions {
  readonly config?: string;
  readonly iptables?: true;
  readonly json?: true;
}

/** What `rules --json` prints. */
interface RulesReport {
  /** A script for `nft -f -`; rules that only iptables has stand in it as comments. */
  readonly nft: string;
  /** Commands for a shell. */
  readonly iptables: readonly string[];
}

export function defineRules(program: Command, cli: Cli): void {
  program
    .command("rules")
    .description(
      "print the firewall rules that belong to nflog sources and to targets with lists of xt_recent",
    )
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--iptables", "as commands of iptables and ip6tables instead of a script for nft -f")
    .option("--json", "one JSON document")
    .action(
      cli.act(async (options: RulesOptions) => {
        const report = await rules(configPath(options));
        if (options.json) await cli.json(report ?? { nft: "", iptables: [] });
        else if (report !== null)
          await cli.out.lines(options.iptables ? report.iptables : report.nft.trimEnd().split("\n"));
        return report === null ? NEGATIVE : DONE;
      }),
    );
}

/** Null when nothing needs rules of the administrator's. */
async function rules(path: string | null): Promise<RulesReport | null> {
  const { config, errors } = await readConfig(path);
  if (config === null) throw new StoplogError(errors[0] ?? "Cannot use the configuration");
  const { logRulesOf } = await import("../config/log-rules.ts");
  const { nftLogRules } = await import("../enforce/log-rules/nft-rules.ts");
  const { iptablesLogRules } = await import("../enforce/log-rules/iptables-rules.ts");
  const { recentRules } = await import("../enforce/recent/rules.ts");
  const found = logRulesOf(config, { installed: false });
  const recent = config.targets
    .flatMap(({ enforcers }) => enforcers)
    .flatMap((target) => (target.enforcer === "recent" ? recentRules(target) : []));
  if (found.length + recent.length === 0) return null;
  return {
    nft: [found.length === 0 ? "" : nftLogRules(found), ...recent.map((rule) => `# ${rule}`)]
      .join("\n")
      .trim(),
    iptables: [...(found.length === 0 ? [] : iptablesLogRules(found)), ...recent],
  };
}
