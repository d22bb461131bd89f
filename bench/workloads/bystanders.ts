import { loadavg } from "node:os";
import type { Asked, AskTask } from "../engines/ask-services.ts";
import type { BystandersDefinition } from "../definition.ts";
import { bundledEngine } from "../harness/engine-bundle.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { HTTP_PORT, missingServices, SSH_PORT, startServices } from "../harness/services.ts";
import { quantile } from "../harness/statistics.ts";
import { writeLines } from "../harness/writer.ts";
import { Arena, pause } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** nginx and sshd beside a daemon that reads a flood of log lines: what they take to answer. */
export const bystanders: Workload<BystandersDefinition> = {
  async run(definition, settings) {
    const seconds = settings.quick ? 5 : definition.seconds;
    const contestants = definition.rivals.map(({ name }): Contestant => {
      const daemon = daemonNamed(name);
      return {
        who: name,
        missing: daemon.missing() ?? missingServices(),
        note: daemon.note,
        run: () => once({ ...definition, seconds }, name),
      };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    const { linesPerSecond, everyMs, maxretry } = definition;
    return {
      columns: COLUMNS,
      outcomes,
      setting: `sshd's failures at ${linesPerSecond.toLocaleString("en-US")} lines/s for ${seconds} s, each address ${FAILURES_EACH} times, maxretry ${maxretry}; a request to nginx every ${everyMs.http} ms, a connection to sshd every ${everyMs.ssh} ms`,
    };
  },
};

const COLUMNS = [
  { key: "httpP50Ms", label: "nginx ms p50", digits: 2, compared: true },
  { key: "httpP99Ms", label: "nginx p99", digits: 2, compared: true },
  { key: "sshP50Ms", label: "sshd ms p50", digits: 2, compared: true },
  { key: "sshP99Ms", label: "sshd p99", digits: 2, compared: true },
  { key: "answers", label: "answers", digits: 0 },
  { key: "due", label: "to ban", digits: 0 },
  { key: "banned", label: "banned", digits: 0 },
  { key: "cpuPercent", label: "CPU % of a core", digits: 1 },
  { key: "load", label: "machine's load", digits: 1 },
] as const;

/** Failures of each address of the flood: five that ban it, and forty-five after the ban. */
const FAILURES_EACH = 50;
/** Flood before the first request, in seconds. */
const WARM_UP = 2;
/** Milliseconds for the last ban after the flood. */
const PATIENCE_MS = 3000;

async function once(definition: BystandersDefinition, who: string): Promise<Figures> {
  const { maxretry, seconds, linesPerSecond, everyMs } = definition;
  const load = loadavg()[0] ?? 0;
  const arena = await Arena.open(who, daemonNamed(who), { service: "sshd", maxretry });
  const stopServices = startServices(arena.space);
  try {
    arena.start();
    await arena.ready();
    await warmServices(arena);
    const cpuBefore = arena.cpuMs();
    const [written, asked] = await Promise.all([
      writeLines({
        path: arena.log,
        service: "sshd",
        linesPerSecond,
        seconds: seconds + WARM_UP,
        failuresEach: FAILURES_EACH,
        maxretry,
        probeEveryMs: null,
      }),
      pause(WARM_UP * 1000).then(() =>
        askServices(arena, { seconds, httpPort: HTTP_PORT, sshPort: SSH_PORT, everyMs }),
      ),
    ]);
    const cpuPercent = ((arena.cpuMs() - cpuBefore) / (written.seconds * 1000)) * 100;
    if (who !== "neither") await arena.watch.until(written.decisive.length, PATIENCE_MS);
    arena.assertAlive();
    const [http, ssh] = [answersOf("nginx", asked.http), answersOf("sshd", asked.ssh)];
    verify("nginx", "answers", http.length, Math.floor((seconds * 1000) / everyMs.http));
    verify("sshd", "banners", ssh.length, Math.floor((seconds * 1000) / everyMs.ssh));
    const banned = written.decisive.filter(([address]) => arena.watch.bannedAt(address) !== undefined).length;
    if (who === "stoplog") verify(who, "bans", banned, written.decisive.length);
    if (arena.watch.size > written.addresses)
      throw new WrongResult(`${who} has banned addresses that never failed`);
    return {
      httpP50Ms: quantile(http, 0.5),
      httpP99Ms: quantile(http, 0.99),
      sshP50Ms: quantile(ssh, 0.5),
      sshP99Ms: quantile(ssh, 0.99),
      answers: http.length + ssh.length,
      due: written.decisive.length,
      banned,
      cpuPercent,
      load,
    };
  } finally {
    stopServices();
    arena.close();
  }
}

/** Waits until both answer, and lets them answer for a second. */
async function warmServices(arena: Arena): Promise<void> {
  const task = { seconds: 1, httpPort: HTTP_PORT, sshPort: SSH_PORT, everyMs: { http: 100, ssh: 100 } };
  await arena.poll("lets nginx and sshd answer", 20_000, async () => {
    const { http, ssh } = await askServices(arena, task);
    return [...http, ...ssh].includes(null) ? null : true;
  });
}

async function askServices(arena: Arena, task: AskTask): Promise<Asked> {
  const command = [...(await bundledEngine("ask-services")), JSON.stringify(task)];
  const { status, stdout, stderr } = await runProgram(arena.space.wrap(command));
  if (status !== 0) throw new WrongResult(`the client of nginx and sshd has failed: ${stderr.slice(-1000)}`);
  return JSON.parse(stdout) as Asked;
}

function answersOf(service: string, all: readonly (number | null)[]): readonly number[] {
  const answers = all.filter((each) => each !== null);
  if (answers.length < all.length)
    throw new WrongResult(
      `${all.length - answers.length} of ${all.length} answers of ${service} did not come`,
    );
  return answers;
}
