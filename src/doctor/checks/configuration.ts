import { counted } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { fine, trouble } from "../finding.ts";

/** Whether the daemon can start with this configuration. */
export const configuration: Check = {
  name: "configuration",
  title: "the configuration",
  reports: "it has errors",
  look({ config, configErrors, configPath }) {
    const [first] = configErrors;
    const name = configPath ?? "the built-in one";
    if (first === undefined) return config === null ? [] : [fine(`The configuration is good: ${name}`)];
    return [
      trouble({
        what:
          configErrors.length === 1
            ? first
            : `${first}, and ${counted(configErrors.length - 1, "more error")} in the configuration`,
        why: "Stoplog does not start with it; a running daemon keeps its old configuration",
        cure: [`stoplog check${configPath === null ? "" : ` -c ${quoted(configPath)}`}`],
      }),
    ];
  },
};
