import type { Config } from "../config/config.ts";
import { kindOf } from "../enforce/kinds.ts";
import { kindOf as kindOfSource } from "../source/kinds.ts";
import { usedSources, usedTargets } from "./situation.ts";
import type { UnitSettings } from "./unit-settings.ts";

/** A part of the configuration that needs more than the packaged unit grants. */
export interface UnitNeed {
  /** `target slow (ipset)`. */
  readonly of: string;
  /** Lines of a drop-in's `[Service]` section. */
  readonly lines: readonly string[];
}

/** What the parts of a configuration need of a unit beyond the packaged one. */
export function unitNeeds(config: Config): readonly UnitNeed[] {
  const needs = [
    ...usedTargets(config).map((target) => ({
      of: `target ${target.name} (${target.enforcer})`,
      lines: kindOf(target).needs(target).unit ?? [],
    })),
    ...usedSources({ config }).map((source) => ({
      of: `source ${source.name} (${source.type})`,
      lines: kindOfSource(source).needs(source).unit ?? [],
    })),
    { of: "the API", lines: config.api?.listen.some(({ port }) => port < 1024) === true ? LOW_PORT : [] },
    { of: "fail2ban's socket", lines: folderLine(config.fail2banSocket) },
  ];
  return needs.filter(({ lines }) => lines.length > 0);
}

/** Those of the needs that an installed unit does not grant. */
export function unmetNeeds(config: Config, unit: UnitSettings): readonly UnitNeed[] {
  return unitNeeds(config).filter(({ lines }) => !lines.every((line) => unit.grants(line)));
}

/** systemd makes the folder of a socket below /run, with the service as its owner. */
function folderLine(socket: string | null): readonly string[] {
  const folder = /^(?:\/var)?\/run\/([^/]+)\/[^/]+$/.exec(socket ?? "")?.[1];
  return folder === undefined ? [] : [`RuntimeDirectory=${folder}`];
}

const LOW_PORT = ["AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"];
