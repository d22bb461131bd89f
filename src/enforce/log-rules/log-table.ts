import { factOf, StoplogError } from "../../core/errors.ts";
import { OwnTable } from "../../kernel/nftables/own-table.ts";
import type { Part, Rule } from "../../kernel/nftables/rule.ts";
import type { TableWriter } from "../../kernel/nftables/table-writer.ts";
import { mergePorts } from "../ruleset/ban-rules.ts";
import { LOG_PRIORITY, LOG_TABLE, type LogRule, protocolsOf, SNAPLEN, THRESHOLD } from "./log-rule.ts";

/** The table of log rules in the kernel. */
export interface LogTable {
  /** Gives the table exactly these rules. Rejects with a StoplogError. `onLost` is called when another program deletes some of it. */
  create(rules: readonly LogRule[], onLost: () => void): Promise<void>;
  delete(): void;
}

export function logTable(): LogTable {
  const table = new OwnTable({ name: LOG_TABLE, owner: true });
  const none = new Set<string>();
  return {
    async create(rules, onLost) {
      const write = (writer: TableWriter): void => writeLogRules(writer, rules);
      try {
        await table.open(onLost, () => table.create(() => ({ sets: none, objects: none, write })));
      } catch (error) {
        const fact = factOf(error).replace(/^Cannot use nftables: /, "");
        throw new StoplogError(`Cannot install the rules that log packets: ${fact}`);
      }
    },
    delete: () => table.close({ flush: true }),
  };
}

/** One chain. A packet that one rule has logged is not logged by another: it arrives once, and every jail checks it. */
export function writeLogRules(writer: TableWriter, rules: readonly LogRule[]): void {
  writer.chains([
    {
      name: "prerouting",
      base: { priority: LOG_PRIORITY },
      rules: [[{ kind: "loopback" }, { kind: "return" }], ...rules.map((rule) => partsOf(writer, rule))],
    },
  ]);
}

/** The same rule as nft-rules.ts prints. */
function partsOf(writer: TableWriter, rule: LogRule): Rule {
  const { jail, group, ports, flags, interfaces, over } = rule;
  const parts: Part[] = [];
  if (interfaces.length > 0)
    parts.push({ kind: "any of", field: "interface", set: writer.anonymousInterfaces(interfaces) });
  parts.push(...protocolParts(writer, protocolsOf(rule)));
  if (flags !== null) parts.push({ kind: "flags", ...flags });
  if (ports.length > 0)
    parts.push({ kind: "any of", field: "port", set: writer.anonymousPorts(mergePorts(ports)) });
  if (over !== null) parts.push({ kind: "limit", rate: { ...over, burst: NFT_BURST }, over: true });
  const log = { group, prefix: `${jail}: `, snaplen: SNAPLEN, threshold: THRESHOLD };
  return [...parts, { kind: "log", log }, { kind: "return" }];
}

function protocolParts(writer: TableWriter, protocols: readonly number[]): readonly Part[] {
  const [first, ...more] = protocols;
  if (first === undefined) return [];
  if (more.length === 0) return [{ kind: "protocol", protocol: first }];
  return [{ kind: "any of", field: "protocol", set: writer.anonymousProtocols(protocols) }];
}

/** The burst of a limit for which nft was told none. */
const NFT_BURST = 5;
