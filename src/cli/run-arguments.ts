/** What `stoplog run` is told. */
export interface RunArguments {
  readonly socket?: string;
  readonly config?: string;
  readonly fail2ban?: string;
  readonly dryRun?: true;
  readonly flushOnExit?: true;
  readonly flush?: true;
  readonly takeover?: true;
}

/**
 * The arguments after `run`, spelled as services spell them; null for anything else, also for `--help` and errors: commander reads these. Loading
 * commander takes 20 ms of a start.
 */
export function readRunArguments(args: readonly string[]): RunArguments | null {
  const found: { -readonly [Key in keyof RunArguments]: RunArguments[Key] } = {};
  for (let i = 0; i < args.length; i++) {
    const [, name = args[i] ?? "", attached] = /^(--[a-z0-9]+)=(.+)$/s.exec(args[i] ?? "") ?? [];
    const text = TEXTS.get(name);
    const flag = FLAGS.get(name);
    if (text !== undefined) {
      const value = attached ?? args[++i];
      if (value === undefined || value === "" || value.startsWith("-")) return null;
      found[text] = value;
    } else if (flag !== undefined && attached === undefined) found[flag] = true;
    else return null;
  }
  return found;
}

const TEXTS: ReadonlyMap<string, "socket" | "config" | "fail2ban"> = new Map([
  ["-c", "config"],
  ["--config", "config"],
  ["--fail2ban", "fail2ban"],
  ["--socket", "socket"],
]);

const FLAGS: ReadonlyMap<string, "dryRun" | "flushOnExit" | "flush" | "takeover"> = new Map([
  ["--dry-run", "dryRun"],
  ["--flush-on-exit", "flushOnExit"],
  ["--flush", "flush"],
  ["--takeover", "takeover"],
]);
