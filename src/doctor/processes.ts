import type { Host } from "./host.ts";

/** A process. Any user can give a process any name and arguments. */
export interface Process {
  readonly pid: number;
  /** The kernel's name for it: at most 15 bytes. */
  readonly name: string;
  readonly arguments: readonly string[];
}

/** All processes that this user can see. */
export function readProcesses(host: Host): readonly Process[] {
  return host
    .list("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid): Process[] => {
      const name = host.read(`/proc/${pid}/comm`)?.trimEnd();
      if (name === undefined) return [];
      const words = (host.read(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
      return [{ pid: Number(pid), name, arguments: words }];
    });
}

/** The first process that runs one of these programs, directly or by an interpreter. */
export function findProgram(processes: readonly Process[], names: readonly string[]): Process | null {
  return (
    processes.find((process) => names.includes(process.name) || names.includes(programOf(process))) ?? null
  );
}

/** `fail2ban-server` for `/usr/bin/python3 -s /usr/bin/fail2ban-server -xf start`; `tail` for `tail -f fail2ban-server`. */
function programOf({ arguments: [first = "", ...rest] }: Process): string {
  const program = baseName(first);
  if (!INTERPRETER.test(program)) return program;
  return baseName(rest.find((word) => !word.startsWith("-")) ?? "");
}

const INTERPRETER = /^(python|perl|ruby|node|sh$|bash$|dash$)/;

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The rights of a process, from /proc/PID/status. */
export interface Rights {
  readonly uid: number;
  readonly capabilities: bigint;
  readonly noNewPrivileges: boolean;
}

export function readRights(host: Host, pid: number | "self"): Rights | null {
  const text = host.read(`/proc/${pid}/status`);
  if (text === null) return null;
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(text)?.[1];
  const capabilities = /^CapEff:\s+([0-9a-f]+)/m.exec(text)?.[1];
  if (uid === undefined || capabilities === undefined) return null;
  return {
    uid: Number(uid),
    capabilities: BigInt(`0x${capabilities}`),
    noNewPrivileges: /^NoNewPrivs:\s+1/m.test(text),
  };
}

export function holds({ capabilities }: Rights, capability: bigint): boolean {
  return (capabilities & (1n << capability)) !== 0n;
}

// linux/capability.h
export const CAP_NET_ADMIN = 12n;
export const CAP_SYSLOG = 34n;
