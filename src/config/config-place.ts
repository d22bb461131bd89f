/** Where a configuration is read from. */
export interface ConfigPlace {
  /** A stoplog.yaml; null for none. Without either, the built-in configuration is used. */
  readonly file: string | null;
  /** fail2ban's folder: sources, targets and jails are converted from it at each reading; null for none. */
  readonly fail2ban: string | null;
}

export function isBuiltIn({ file, fail2ban }: ConfigPlace): boolean {
  return file === null && fail2ban === null;
}
