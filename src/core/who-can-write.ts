/** A file, or a folder on the way to it. */
export interface PathPart {
  readonly path: string;
  readonly isFolder: boolean;
  /** Permission bits with the sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Users and groups that may write besides root: the daemon's. */
export interface TrustedUsers {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/** A way in which another user can change a file: the file itself, or a folder in which it can be replaced. */
export interface Opening {
  readonly kind: "everyone" | "owner" | "group";
  readonly at: PathPart;
}

/**
 * How users that are not trusted can change what is at the end of a path. `parts` are every folder and file that the path leads through,
 * links resolved. Root is always trusted. In a folder with the sticky bit (/tmp) only the owner of an entry replaces it. Access lists are
 * not read: the kernel shows the most that they permit as the rights of the group.
 */
export function whoCanWrite(parts: readonly PathPart[], trusted: TrustedUsers): readonly Opening[] {
  return parts.flatMap((at): Opening[] => {
    const { mode, uid, gid, isFolder } = at;
    const protects = isFolder && (mode & STICKY) !== 0;
    const isForeign = uid !== 0 && !trusted.uids.includes(uid);
    const isForeignGroup = gid !== 0 && !trusted.gids.includes(gid);
    return [
      ...(isForeign ? [{ kind: "owner" as const, at }] : []),
      ...((mode & 0o002) !== 0 && !protects ? [{ kind: "everyone" as const, at }] : []),
      ...((mode & 0o020) !== 0 && isForeignGroup && !protects ? [{ kind: "group" as const, at }] : []),
    ];
  });
}

/** The opening as a phrase with its cure: 'every user can write it (mode 666); cure: chmod o-w PATH'. `path` is what it is about. */
export function openingWords(path: string, opening: Opening): string {
  return `${openingFact(path, opening)}; cure: ${openingCure(opening) ?? MOVE}`;
}

export function openingFact(path: string, { kind, at }: Opening): string {
  const mode = at.mode.toString(8);
  const isItself = at.path === path;
  switch (kind) {
    case "owner":
      return isItself ? `user ${at.uid} owns it` : `user ${at.uid} can change it: they own ${at.path}`;
    case "everyone":
      return isItself
        ? `every user can write it (mode ${mode})`
        : `every user can change it: ${at.path} has mode ${mode}`;
    case "group":
      return isItself
        ? `group ${at.gid} can write it (mode ${mode})`
        : `group ${at.gid} can change it: ${at.path} has mode ${mode}`;
  }
}

/** A command; null when the file has to move to another folder. */
export function openingCure({ kind, at }: Opening, quote = (word: string): string => word): string | null {
  if (kind === "owner") return at.isFolder ? null : `chown root ${quote(at.path)}`;
  return `chmod ${kind === "everyone" ? "o" : "g"}-w ${quote(at.path)}`;
}

/** The cure in an owner's folder. */
export const MOVE = "move it to a folder that only root can write, such as /etc/stoplog";

const STICKY = 0o1000;
