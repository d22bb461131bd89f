// Removes what the bench made, however it ends: daemons, control groups, namespaces, folders.

const removals = new Set<() => void>();

/** Runs `remove` when the process exits. The returned function runs it now instead. */
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
  // Last made, first removed: a control group before the namespace of its processes.
  process.on("exit", () => {
    for (const remove of [...removals].toReversed()) remove();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
}
