import { cannot } from "../../core/errors.ts";
import { execute } from "../execute.ts";

/** The programs of one family. */
export interface Tables {
  /** `iptables-save` of the filter table. Rejects with a StoplogError. */
  save(): Promise<string>;
  /** `iptables-restore --noflush` of lines for the filter table, all or none; answers null, or why not. */
  restore(lines: readonly string[]): Promise<string | null>;
}

export function tablesOf(family: "v4" | "v6"): Tables {
  const program = family === "v4" ? "iptables" : "ip6tables";
  return {
    async save() {
      const { status, stdout, stderr } = await execute(`${program}-save`, ["-t", "filter"], "");
      if (status !== 0) throw cannot(`run ${program}-save`, factIn(stderr));
      return stdout;
    },
    async restore(lines) {
      const text = `*filter\n${lines.join("\n")}\nCOMMIT\n`;
      // -w: waits for others that change rules, but not for ever.
      const { status, stderr } = await execute(`${program}-restore`, ["--noflush", "-w", "5"], text);
      return status === 0 ? null : factIn(stderr);
    },
  };
}

/** iptables says 'iptables-restore v1.8.9 (nf_tables): FACT', and where. */
function factIn(stderr: string): string {
  const line = stderr.split("\n").find((text) => text.trim() !== "") ?? "it failed and did not say why";
  return line
    .replace(/^ip6?tables[^:]*: /, "")
    .trim()
    .slice(0, 300);
}
