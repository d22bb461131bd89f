import type { Command } from "commander";
import type { Config } from "../../config/config.ts";
import { StoplogError } from "../../core/errors.ts";
import { readConfig } from "./check.ts";
import type { Cli } from "../cli.ts";
import { configPath } from "../config-path.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { CONFIG_OPTION } from "./run.ts";

interface RulesOptions {
  readonly config?: string;
  readonly iptables?: true;
  readonly json?: true;
}

/** What `rules --json` prints. */
interface RulesReport {
  /** A script for `nft -f -`; rules that only iptables can express are comments. */
  readonly nft: string;
  /** Shell commands. */
  readonly iptables: readonly string[];
}

export function defineRules(program: Command, cli: Cli): void {
  program
    .command("rules")
    .description(
      "print the firewall rules for nflog sources and xt_recent targets; with --iptables, also the equivalent of offload: kernel",
    )
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--iptables", "as iptables and ip6tables commands instead of a script for nft -f")
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

/** Null when no source or target needs rules. */
async function rules(path: string | null): Promise<RulesReport | null> {
  const { config, errors } = await readConfig(path);
  if (config === null) throw new StoplogError(errors[0] ?? "Cannot use the configuration");
  const { logRulesOf } = await import("../../config/log-rules.ts");
  const { nftLogRules } = await import("../../enforce/log-rules/nft-rules.ts");
  const { iptablesLogRules } = await import("../../enforce/log-rules/iptables-rules.ts");
  const { kindOf } = await import("../../enforce/kinds.ts");
  const found = logRulesOf(config, { installed: false });
  const recent = config.targets
    .flatMap(({ enforcers }) => enforcers)
    .flatMap((target) => kindOf(target).rules?.(target) ?? []);
  const counted = await kernelRules(config);
  if (found.length + recent.length + counted.length === 0) return null;
  return {
    nft: [
      found.length === 0 ? "" : nftLogRules(found),
      ...recent.map((rule) => `# ${rule}`),
      ...(counted.length === 0 ? [] : [OWN_RULES]),
    ]
      .join("\n")
      .trim(),
    iptables: [...(found.length === 0 ? [] : iptablesLogRules(found)), ...recent, ...counted],
  };
}

const OWN_RULES = "# Stoplog installs the rules of kernel-counted jails itself";

/** The iptables equivalent of kernel-counted jails, which Stoplog itself makes only in nftables. */
async function kernelRules(config: Config): Promise<readonly string[]> {
  const { offloadedJails } = await import("../../config/offload-plan.ts");
  const { iptablesKernelRules } = await import("../../offload/kernel/iptables-rules.ts");
  const { ownPrefixes } = await import("../../daemon/own-addresses.ts");
  return iptablesKernelRules(
    offloadedJails(config, []).map((jail) => {
      const own = config.jails.find(({ name }) => name === jail.name);
      const self = own?.ignoreSelf === true && config.ignoreSelf ? ownPrefixes() : [];
      return { jail, ignored: [...config.ignoreip, ...(own?.ignoreip ?? []), ...self] };
    }),
  );
}
