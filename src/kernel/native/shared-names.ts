/**
 * While two processes have the same sockets and locks (one takes over from the other), neither removes a path when it closes them: the other one
 * still answers there.
 */
export function shareNames(isShared: boolean): void {
  shared = isShared;
}

/** Whether another process answers at the paths of this one. */
export function namesAreShared(): boolean {
  return shared;
}

let shared = false;
