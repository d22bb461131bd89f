import { bytesWords, counted } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Host, readNumber } from "../host.ts";

/** Memory limits of the daemon's control groups, and the machine's free memory. */
export const memory: Check = {
  name: "memory",
  title: "memory",
  reports:
    "a control group leaves the daemon less than 128 MiB, is nearly full, or has killed it; the machine has less than 48 MiB free",
  look({ host, daemon }) {
    const found = [...(daemon === null ? [] : limited(host, daemon.pid)), ...scarce(host)];
    return found.length > 0 ? found : [fine("Memory is sufficient")];
  },
};

/** From the daemon's own group upwards: each can have a limit (Documentation/admin-guide/cgroup-v2). */
function limited(host: Host, pid: number): Finding[] {
  const path = /^0::(\/\S*)$/m.exec(host.read(`/proc/${pid}/cgroup`) ?? "")?.[1] ?? "/";
  for (let group = path; group !== "/" && group !== ""; group = group.slice(0, group.lastIndexOf("/"))) {
    const folder = `/sys/fs/cgroup${group}`;
    const max = readNumber(host, `${folder}/memory.max`);
    const finding = max === null ? null : judge(host, folder, max);
    if (finding !== null) return [finding];
  }
  return [];
}

function judge(host: Host, folder: string, max: number): Finding | null {
  const killed = Number(/^oom_kill (\d+)$/m.exec(host.read(`${folder}/memory.events`) ?? "")?.[1] ?? 0);
  const current = readNumber(host, `${folder}/memory.current`) ?? 0;
  const cure = ["systemctl set-property stoplog.service MemoryMax=512M"];
  if (killed > 0) {
    return trouble({
      what: `The kernel killed ${counted(killed, "process", "processes")} in ${folder} at its memory limit of ${bytesWords(max)}`,
      why: "Stoplog did not run until it had restarted",
      cure,
    });
  }
  if (current > 0.95 * max) {
    return trouble({
      what: `Stoplog's control group uses ${bytesWords(current)} of its ${bytesWords(max)} of memory`,
      why: "Beyond the limit the kernel kills it",
      cure,
    });
  }
  if (max >= ENOUGH) return null;
  return advice({
    what: `Stoplog can use at most ${bytesWords(max)} of memory (${folder}/memory.max)`,
    why: "A flood from many addresses may need more, and beyond the limit the kernel kills it",
    cure,
  });
}

const ENOUGH = 128 * 1024 * 1024;

function scarce(host: Host): Finding[] {
  const info = host.read("/proc/meminfo") ?? "";
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(info)?.[1];
  if (kilobytes === undefined || Number(kilobytes) * 1024 >= SCARCE) return [];
  return [
    advice({
      what: `This machine has only ${bytesWords(Number(kilobytes) * 1024)} of free memory`,
      why: "In a flood the kernel may kill Stoplog or a protected service",
      cure: ["# the largest processes:", "ps -eo rss,pid,comm --sort=-rss | head"],
    }),
  ];
}

const SCARCE = 48 * 1024 * 1024;
