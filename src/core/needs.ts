/** What a machine must have for a source or for bans at a target. Whatever is left out is not needed. */
export interface Needs {
  /** CAP_NET_ADMIN. */
  readonly netAdmin?: boolean;
  /** Rights beyond CAP_NET_ADMIN: root, or permissions on files that only root has by default. */
  readonly root?: boolean;
  /**
   * Lines of a systemd drop-in's `[Service]` section, without which the packaged unit keeps it from working: `AmbientCapabilities=CAP_NET_RAW`.
   */
  readonly unit?: readonly string[];
  /** Files that are replaced by renaming: their directories must be writable. */
  readonly replaces?: readonly string[];
  /** koffi: `"always"`, or the program that takes its place. */
  readonly native?: "always" | { readonly instead: string };
  readonly programs?: readonly NeededProgram[];
  /** A kernel module that is loaded on demand. */
  readonly module?: string;
  /** The first Linux version, as [major, minor], that can do `what`. */
  readonly linux?: { readonly since: readonly [number, number]; readonly what: string };
}

export interface NeededProgram {
  readonly program: string;
  /** The Debian package; null for a program of the operator's. */
  readonly package: string | null;
}
