/** A word for a shell, quoted: local users choose the names of files that globs match. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Sets a sysctl, now and at every boot. */
export function setSysctl(name: string, value: number): readonly string[] {
  const path = `/etc/sysctl.d/99-stoplog-${name.replaceAll(/[._]/g, "-")}.conf`;
  return [`echo '${name} = ${value}' > ${path}`, `sysctl -p ${path}`];
}

/** Writes a file of a few lines, in a directory that may be missing. */
export function writeFile(path: string, lines: readonly string[]): readonly string[] {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return [`mkdir -p ${quoted(folder)}`, `printf '%s\\n' ${lines.map(quoted).join(" ")} > ${quoted(path)}`];
}
