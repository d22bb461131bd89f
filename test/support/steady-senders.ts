// Sends a datagram from each of some addresses of this machine every millisecond, to a socket of its own, and counts those that arrive. A
// process of its own, so that nothing delays it.
//
//   node scripts/run-ts.mjs test/support/steady-senders.ts '["127.66.0.1", …]'
//
// Each line on standard input is answered by one line of JSON: how many datagrams each address sent since the last one, and how many arrived,
// by address.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createInterface } from "node:readline";

const addresses = JSON.parse(process.argv[2] ?? "[]") as readonly string[];
let arrived: Record<string, number> = {};
const receiver = createSocket("udp4");
receiver.on("message", (_, { address }) => (arrived[address] = (arrived[address] ?? 0) + 1));
receiver.bind(0, "127.0.0.1");
await once(receiver, "listening");
const { port } = receiver.address();
const senders = await Promise.all(addresses.map(open));

const started = performance.now();
let sent = 0;
let told = 0;
setInterval(() => {
  // What a busy machine delays is sent later: the rate stays.
  for (const due = performance.now() - started; sent < due; sent++)
    for (const sender of senders) sender.send("1", port, "127.0.0.1");
}, 1);
createInterface(process.stdin).on("line", () => {
  process.stdout.write(`${JSON.stringify({ sent: sent - told, arrived })}\n`);
  arrived = {};
  told = sent;
});
process.stdin.on("end", () => process.exit());

async function open(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  // A rule that rejects is answered by an error.
  socket.on("error", () => undefined);
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}
