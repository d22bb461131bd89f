import type { StatusReply } from "../api/wire.ts";
import type { Config, JailConfig, SourceConfig } from "../config/config.ts";
import type { OpenFile } from "../config/open-files.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { EnforcerKind } from "../enforce/kind.ts";
import type { SourceKind, SourceOptions } from "../source/kind.ts";
import { isKind } from "../source/kinds.ts";
import { kmsg } from "../source/kmsg/kind.ts";
import { nflog } from "../source/nflog/kind.ts";
import type { Host } from "./host.ts";
import { SYSTEMD_FOLDERS } from "./systemd-files.ts";
import { type Process, readProcesses, readRights, type Rights } from "./processes.ts";

/** Everything that checks see. */
export interface Situation {
  readonly host: Host;
  /** Null when it cannot be read. */
  readonly config: Config | null;
  /** Errors of the configuration, as sentences with their places. */
  readonly configErrors: readonly string[];
  /** Files of the configuration that users other than root and this process's user can change. */
  readonly openFiles: readonly OpenFile[];
  /** Its file; null for the built-in one. */
  readonly configPath: string | null;
  /** The daemon's status; null when no daemon answers. */
  readonly daemon: StatusReply | null;
  readonly socket: string;
  readonly processes: readonly Process[];
  /**
   * The daemon's rights. When no daemon runs, those of this process, whose user may start it; null when a service is installed, which runs
   * as the user in its unit.
   */
  readonly rights: Rights | null;
  readonly inContainer: boolean;
}

export type Asked = Pick<
  Situation,
  "config" | "configErrors" | "openFiles" | "configPath" | "daemon" | "socket"
>;

export function takeIn(host: Host, asked: Asked): Situation {
  return {
    ...asked,
    host,
    processes: readProcesses(host),
    rights:
      asked.daemon === null && serviceUnit(host) !== null
        ? null
        : readRights(host, asked.daemon?.pid ?? "self"),
    inContainer: CONTAINER_MARKS.some((path) => host.stat(path) !== null),
  };
}

/** The unit file of the service; null when none is installed. */
export function serviceUnit(host: Host): string | null {
  const paths = SYSTEMD_FOLDERS.map((folder) => `${folder}/system/stoplog.service`);
  return paths.find((path) => host.stat(path) !== null) ?? null;
}

/** Created by Docker, by Podman, and by systemd in any container. */
const CONTAINER_MARKS = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];

/** A source of the configuration with its name. */
export type Named<Options> = Options & Pick<SourceConfig, "timezone" | "orders"> & { readonly name: string };

/** The sources that some jail reads, or that give orders. */
export function usedSources({ config }: Pick<Situation, "config">): readonly Named<SourceOptions>[] {
  const used = new Set(config?.jails.flatMap(({ sources }) => sources));
  return [...(config?.sources ?? [])].flatMap(([name, source]) =>
    used.has(name) || source.orders !== undefined ? [{ ...source, name }] : [],
  );
}

/** The used sources of a kind. */
export function sourcesOf<Options extends SourceOptions>(
  situation: Situation,
  kind: SourceKind<Options>,
): readonly Named<Options>[] {
  return usedSources(situation).filter((source): source is Named<Options> => isKind(source, kind));
}

/** The used targets of a kind. */
export function targetsOf<Target extends TargetSpec>(
  { config }: Situation,
  kind: EnforcerKind<Target>,
): readonly Target[] {
  return usedTargets(config).filter((target): target is Target => target.enforcer === kind.name);
}

/** The targets that a jail or an origin names. Without that, only bans by hand use the target `default`. */
export function usedTargets(config: Config | null): readonly TargetSpec[] {
  if (config === null) return [];
  const named = new Set([
    ...config.jails.flatMap(({ steps }) => steps.map(({ target }) => target)),
    ...config.origins.map(({ target }) => target),
  ]);
  return config.targets.filter(({ name }) => named.has(name)).flatMap(({ enforcers }) => enforcers);
}

/** The jails that read a source. */
export function jailsReading({ config }: Situation, source: string): readonly JailConfig[] {
  return config?.jails.filter(({ sources }) => sources.includes(source)) ?? [];
}

/** Whether packets with forged source addresses can cause bans: jails count packets. */
export function countsPackets(situation: Situation): boolean {
  return sourcesOf(situation, nflog).length > 0 || sourcesOf(situation, kmsg).length > 0;
}
