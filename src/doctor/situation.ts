import type { StatusReply } from "../api/wire.ts";
import type { Config, JailConfig, SourceConfig } from "../config/config.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { EnforcerKind } from "../enforce/kind.ts";
import type { SourceKind, SourceOptions } from "../source/kind.ts";
import { isKind } from "../source/kinds.ts";
import { kmsg } from "../source/kmsg/kind.ts";
import { nflog } from "../source/nflog/kind.ts";
import type { Host } from "./host.ts";
import { SYSTEMD_FOLDERS } from "./ini.ts";
import { type Process, readProcesses, readRights, type Rights } from "./processes.ts";

/** Everything that a check may look at. */
export interface Situation {
  readonly host: Host;
  /** Null when there is none that could be read. */
  readonly config: Config | null;
  /** What is wrong with the configuration, as sentences with their places. */
  readonly configErrors: readonly string[];
  /** Its file; null for the built-in one. */
  readonly configPath: string | null;
  /** What the daemon says of itself; null when none answers. */
  readonly daemon: StatusReply | null;
  readonly socket: string;
  readonly processes: readonly Process[];
  /**
   * Of the daemon. Where none runs, of this process, which may be what runs it next; null where a service is set up, since that runs as
   * whom its unit says.
   */
  readonly rights: Rights | null;
  readonly inContainer: boolean;
}

export type Asked = Pick<Situation, "config" | "configErrors" | "configPath" | "daemon" | "socket">;

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

/** Where the unit lies that runs Stoplog as a service; null when there is none. */
export function serviceUnit(host: Host): string | null {
  const paths = SYSTEMD_FOLDERS.map((folder) => `${folder}/system/stoplog.service`);
  return paths.find((path) => host.stat(path) !== null) ?? null;
}

/** Made by Docker, Podman, and systemd in whatever container it runs in. */
const CONTAINER_MARKS = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];

/** A source of the configuration with its name. */
export type Named<Options> = Options & Pick<SourceConfig, "timezone" | "orders"> & { readonly name: string };

/** The sources that some jail reads, or that give orders. */
export function usedSources({ config }: Situation): readonly Named<SourceOptions>[] {
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

/** The targets of a kind that bans of this configuration go to. */
export function targetsOf<Target extends TargetSpec>(
  { config }: Situation,
  kind: EnforcerKind<Target>,
): readonly Target[] {
  return usedTargets(config).filter((target): target is Target => target.enforcer === kind.name);
}

/** All of them. The target `default` is always there, but unless a jail or an origin names it, only a ban by hand uses it. */
export function usedTargets(config: Config | null): readonly TargetSpec[] {
  if (config === null) return [];
  const named = new Set([
    ...config.jails.flatMap(({ steps }) => steps.map(({ target }) => target)),
    ...config.origins.map(({ target }) => target),
  ]);
  return config.targets.filter(({ name }) => named.has(name)).flatMap(({ enforcers }) => enforcers);
}

/** The jails that look into a source. */
export function jailsReading({ config }: Situation, source: string): readonly JailConfig[] {
  return config?.jails.filter(({ sources }) => sources.includes(source)) ?? [];
}

/** Whether forged source addresses could get somebody banned: the packets themselves are what is counted. */
export function countsPackets(situation: Situation): boolean {
  return sourcesOf(situation, nflog).length > 0 || sourcesOf(situation, kmsg).length > 0;
}
