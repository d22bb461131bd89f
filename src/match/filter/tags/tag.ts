/** What a filter itself gives to the tags in its patterns. */
export interface TagContext {
  /** The filter's own tags: `<name>` stands for the pattern given here. */
  readonly define: Readonly<Record<string, string>>;
  /** The program's name for `<SYSLOG>`, a regular expression; undefined for any program. */
  readonly daemon: string | undefined;
}

/** A tag of filters. table.ts has all of them; patterns, import, `stoplog test` and the reference page read it. */
export type Tag = TextTag | GroupTag;

interface Documented {
  /** As between the angle brackets: `HOST`, `F-USER`. */
  readonly name: string;
  /** What it matches, for the reference page: a sentence or two of Markdown. */
  readonly doc: string;
  /** A pattern with the tag, and a line in which it finds 192.0.2.1 or 2001:db8::1; several have a LF between them. A test runs it. */
  readonly example: {
    readonly pattern: string;
    readonly line: string;
    readonly daemon?: string;
    readonly maxlines?: number;
  };
  /** Whether fail2ban has the same tag. The import escapes all others: fail2ban takes them as text. */
  readonly inFail2ban: boolean;
}

/** `<NAME>`. With `inFail2ban`, `<F-NAME/>` means the same. */
export interface TextTag extends Documented {
  readonly kind: "text";
  /**
   * The regular expression in its place, in Python's spelling; linear, so no lookaround and no count above 16. A function
   * gets the filter's `daemon` with its tags expanded; a filter cannot redefine such a tag.
   */
  readonly regex: string | ((daemon: string | undefined) => string);
  /** A warning for a filter that uses the tag without `daemon`. */
  readonly withoutDaemon?: string;
  /** Set on a tag that captures the host. */
  readonly host?: HostGroup;
}

/** `<F-NAME>…</F-NAME>` around a part of the pattern, and `<F-NAME/>` alone: a named group. */
export interface GroupTag extends Documented {
  readonly kind: "group";
  /** The group's name; `user` for `F-USER`. */
  readonly group: string;
  /** What `<F-NAME/>` matches. */
  readonly whole: string;
  /** Whether fail2ban has `<F-NAME/>` as well. */
  readonly isWholeInFail2ban?: true;
  readonly host?: HostGroup;
}

/** A group that holds the host. */
export interface HostGroup {
  readonly group: string;
  /** Of the groups that took part in a match, the one with the lowest rank is the host. */
  readonly rank: number;
  /** Whether the pattern matches only where the group holds an IP address; else a name is fine too. */
  readonly needsAddress: boolean;
}
