import type { Check } from "../check.ts";
import { fine, trouble } from "../finding.ts";
import { serviceUnit } from "../situation.ts";
import { unitNeeds, unmetNeeds } from "../unit-needs.ts";
import { readUnit } from "../unit-settings.ts";

/** The unit permits what the configuration needs. */
export const unit: Check = {
  name: "unit",
  title: "the unit of the service",
  reports: "a target, a source or the API needs more than the installed unit of systemd permits",
  look({ config, host }) {
    const path = serviceUnit(host);
    const settings = readUnit(host, path);
    if (config === null || settings === null) return [];
    const unmet = unmetNeeds(config, settings);
    if (unmet.length === 0) return [fine("The unit of the service permits what the configuration needs")];
    const lines = [...new Set(unitNeeds(config).flatMap((need) => need.lines))];
    return [
      trouble({
        what: `${path} does not permit what ${unmet.map(({ of }) => of).join(", ")} needs`,
        why: "It works by hand and fails as a service",
        cure: [
          "mkdir -p /etc/systemd/system/stoplog.service.d",
          `printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(" ")} > /etc/systemd/system/stoplog.service.d/needs.conf`,
          "systemctl daemon-reload",
          "systemctl restart stoplog",
        ],
      }),
    ];
  },
};
