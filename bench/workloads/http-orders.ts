import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import type { OrdersAnswer } from "../../src/api/wire.ts";
import { Namespace, namespaceFault } from "../../test/support/namespace.ts";
import { Home, RunningDaemon } from "../../test/support/running-daemon.ts";
import type { HttpOrdersDefinition } from "../definition.ts";
import { type Figures, verify } from "../harness/outcome.ts";
import { runRounds } from "../harness/rounds.ts";
import type { Workload } from "./workload.ts";

/** The whole daemon, and a client with some keep-alive connections. */
export const httpOrders: Workload<HttpOrdersDefinition> = {
  async run(definition, settings) {
    const orders = settings.quick ? definition.orders / 10 : definition.orders;
    const outcomes = await runRounds(
      [
        {
          who: "stoplog",
          missing: namespaceFault(),
          note: "plain HTTP on loopback, a token, nftables through its own messages, state kept on disk",
          run: () => once({ ...definition, orders }),
        },
      ],
      settings.rounds,
    );
    const { batch, connections } = definition;
    return {
      columns: COLUMNS,
      outcomes,
      setting: `${orders.toLocaleString("en-US")} orders of as many addresses, ${batch} a request, ${connections} connections`,
    };
  },
};

const COLUMNS = [
  { key: "ordersPerSecond", label: "orders/s", digits: 0 },
  { key: "microsPerOrder", label: "CPU µs an order", digits: 2 },
  { key: "worstMs", label: "slowest request, ms", digits: 0 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
] as const;

const SECRET = "a-secret-for-the-bench";
const PORT = 8443;

async function once({ orders, batch, connections }: HttpOrdersDefinition): Promise<Figures> {
  const server = Namespace.create("api");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  const leave = server.enter();
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, server);
    const { pid } = daemon;
    const bodies = bodiesOf(orders, batch);
    const before = cpuMs(pid);
    const started = performance.now();
    let worst = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
        const from = performance.now();
        const answer = await post(agent, body);
        done += answer.done;
        worst = Math.max(worst, performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: connections }, work));
    const seconds = (performance.now() - started) / 1000;
    const status = daemon.status();
    verify("stoplog", "orders", done, orders);
    verify("stoplog", "bans", status.book.bans, orders);
    return {
      ordersPerSecond: orders / seconds,
      microsPerOrder: ((cpuMs(pid) - before) * 1000) / orders,
      worstMs: worst,
      peakMegabytes: status.memoryBytes / 1e6,
    };
  } finally {
    agent.destroy();
    leave();
    await daemon?.end();
    server.remove();
    home.remove();
  }
}

const CONFIG = JSON.stringify({
  api: {
    listen: `127.0.0.1:${PORT}`,
    tokens: { bench: { sha256: createHash("sha256").update(SECRET).digest("hex") } },
  },
  origins: { bench: { rate: 10_000_000, mass: 1_000_000_000, bans: 1_000_000 } },
  state: "HOME/state",
});

function bodiesOf(orders: number, batch: number): string[] {
  return Array.from({ length: Math.ceil(orders / batch) }, (_, b) =>
    Array.from({ length: Math.min(batch, orders - b * batch) }, (_unused, i) => {
      const n = b * batch + i;
      return `{"address":"100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}","duration":"1h","reason":"scored 0.98"}`;
    }).join("\n"),
  );
}

function post(agent: Agent, body: string): Promise<OrdersAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/x-ndjson" };
    const asked = request(
      { host: "127.0.0.1", port: PORT, method: "POST", path: "/v1/orders", headers, agent },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(JSON.parse(text) as OrdersAnswer));
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

/** CPU time of the process, in ticks of 10 ms (proc_pid_stat(5), fields 14 and 15). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
