// What must not be left on the machine, however the bench ends: daemons at work, control groups, namespaces, folders.

const removals = new Set<() => void>();

/** Runs `remove` when the process ends, unless the answer was called, which runs it now. */
export function atEnd(remove: () => void): () => void {
  if (removals.size === 0) listen();
  const once = (): void => {
    if (removals.delete(once)) remove();
  };
  removals.add(once);
  return once;
}

let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  // Last made, first removed: a group before the namespace that its processes are in.
  process.on("exit", () => {
    for (const remove of [...removals].toReversed()) remove();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
}
