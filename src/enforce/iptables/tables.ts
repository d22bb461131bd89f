import { cannot } from "../../core/errors.ts";
import { execute } from "../execute.ts";

/** The iptables programs of one family. */
export interface Tables {
  /** The output of `iptables-save` for the filter table. Rejects with a StoplogError. */
  save(): Promise<string>;
  /** Runs `iptables-restore --noflush` with lines for the filter table, all or none. Returns null, or why it failed. */
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
      // -w 5: waits at most 5 s while another program changes rules.
      const { status, stderr } = await execute(`${program}-restore`, ["--noflush", "-w", "5"], text);
      return status === 0 ? null : factIn(stderr);
    },
  };
}

/** The FACT of `iptables-restore v1.8.9 (nf_tables): FACT`. */
function factIn(stderr: string): string {
  const line = stderr.split("\n").find((text) => text.trim() !== "") ?? "it failed without a message";
  return line
    .replace(/^ip6?tables[^:]*: /, "")
    .trim()
    .slice(0, 300);
}
