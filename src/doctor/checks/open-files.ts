import { MOVE, openingCure, openingFact } from "../../core/who-can-write.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";

/** The configuration, its filters and its tokens: users other than root and the daemon's cannot change them. */
export const openFiles: Check = {
  name: "open-files",
  title: "who can change the configuration",
  reports: "users other than root and the daemon's can write the configuration, a filter or a token's file",
  look({ config, openFiles: files, rights }) {
    const findings = files.flatMap(({ path, openings }) =>
      openings
        .filter(({ kind, at }) => kind !== "owner" || at.uid !== rights?.uid)
        .map((opening): Finding => {
          const what = `${path}: ${openingFact(path, opening)}`;
          const cure = [openingCure(opening, quoted) ?? `# ${MOVE}`];
          return opening.kind === "group"
            ? advice({ what, why: "The members of the group decide what Stoplog does and runs", cure })
            : trouble({
                what,
                why: "Stoplog does not start as root with it: that user decides what root runs",
                cure,
              });
        }),
    );
    if (findings.length > 0 || config === null || config.path === null) return findings;
    return [fine("Only root and Stoplog's user can change the configuration")];
  },
};
