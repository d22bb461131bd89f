import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { promisify } from "node:util";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("openssl") ? null : "needs openssl, to make a certificate");

const STOPLOG = join(packageRoot(), "bin", "stoplog");

interface Document {
  readonly count: { readonly ban: number; readonly lift: number };
  readonly missed: number;
  readonly events: readonly { readonly kind: string; readonly address: string; readonly reason: string }[];
}

describe.skipIf(fault !== null)(titled("stoplog run with notifications", fault), () => {
  const here = useNamespace("notify");
  let home: Home;
  let daemon: RunningDaemon | null = null;
  let web: Server | null = null;
  let got: string[] = [];
  let status: (n: number) => number = () => 200;

  beforeEach(() => {
    home = new Home();
    got = [];
    status = () => 200;
    writeFileSync(home.file("orders"), "");
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    web?.closeAllConnections();
    web?.close();
    web = null;
    home.remove();
  });

  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push(Buffer.concat(chunks).toString("utf8"));
      response.writeHead(status(got.length)).end("so it is");
    });
  };

  /** Returns the port. */
  async function serve(server: Server): Promise<number> {
    web = server;
    await here.inside(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    const address = server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  async function start(notify: string): Promise<void> {
    home.configure(
      `sources: { detector: { type: file, path: HOME/orders, orders: true } }\nstate: false\nnotify:\n${notify}`,
    );
    daemon = await RunningDaemon.start(home, here, { args: ["--dry-run"] });
  }

  const order = (...orders: readonly object[]): void =>
    appendFileSync(home.file("orders"), orders.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const documents = () => got.map((body) => JSON.parse(body) as Document);
  const told = () => documents().reduce((sum, { count, missed }) => sum + count.ban + missed, 0);
  const hook = (name = "team") => daemon?.status().notify.find((one) => one.name === name);

  it("sends bans and unbans to a webhook, a flood in few messages, nothing twice", async () => {
    const port = await serve(createPlainServer(listener));
    await start(
      `  team: { type: webhook, url: "http://127.0.0.1:${port}/x", events: [ban, lift], every: 1s }\n`,
    );
    order({ address: "192.0.2.1", reason: 'a line with "go"\r\n@everyone' });
    await until("the first is told", () => got.length === 1);
    expect(documents()[0]?.events).toMatchObject([{ kind: "ban", address: "192.0.2.1" }]);
    const flood = Array.from({ length: 10_000 }, (_, n) => ({ address: `198.18.${n >> 8}.${n & 255}` }));
    order(...flood);
    await until(
      "all are told",
      () => told() === 10_001,
      () => `${told()} ${daemon?.log}`,
    );
    expect(got.length).toBeLessThan(12);
    daemon?.command("unban", "192.0.2.1");
    await until("the unban is sent", () => documents().at(-1)?.count.lift === 1);
    expect(hook()).toMatchObject({ type: "webhook", failed: 0, dropped: 0, waiting: 0, lastTrouble: null });
    expect(hook()?.summed).toBeGreaterThan(8000);
  });

  it("reports a server that is down, and sends everything when it is back", async () => {
    const port = await serve(createPlainServer(listener));
    status = (n) => (n <= 2 ? 500 : 200);
    await start(`  team: { type: webhook, url: "http://127.0.0.1:${port}/s3cret", every: 1s }\n`);
    order({ address: "192.0.2.1" });
    await until("it was refused", () => hook()?.lastTrouble === "the server answers 500: so it is");
    const sentence = "Cannot notify team: the server answers 500: so it is; retrying";
    await until("the message is logged", () => daemon?.log.includes(sentence) === true);
    expect(daemon?.status().warnings).toContain("Cannot notify team: the server answers 500: so it is");
    order({ address: "192.0.2.2" });
    await until("both are sent", () => hook()?.sent === 2);
    // Three attempts for the first message, then the second message.
    expect(new Set(got).size).toBe(2);
    expect(documents().map(({ events }) => events.map(({ address }) => address))).toEqual([
      ["192.0.2.1"],
      ["192.0.2.1"],
      ["192.0.2.1"],
      ["192.0.2.2"],
    ]);
    await until(
      "the message is logged",
      () => daemon?.log.includes("Notifications to team work again") === true,
    );
    expect(daemon?.log).not.toContain("s3cret");
    // Not awaited: the server runs in this process.
    const socket = home.file("control.sock");
    const tried = await promisify(execFile)(STOPLOG, ["notify", "team", "--test", "--socket", socket]);
    expect(tried.stdout).toBe("The test message has arrived\n");
    expect(got.at(-1)).toContain('"test":true');
    expect(daemon?.command("notify", "unknown", "--test").error).toBe(
      "Cannot notify unknown: it does not exist; there is team\n",
    );
  });

  it("refuses a server whose certificate is not trusted", async () => {
    const [key, cert] = [home.file("key.pem"), home.file("cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"].concat(
        ["-keyout", key, "-out", cert, ...subject],
      ),
      { stdio: "ignore" },
    );
    const pair = { key: readFileSync(key), cert: readFileSync(cert) };
    const port = await serve(createTlsServer(pair, listener));
    const notify = `  team: { type: webhook, url: "https://127.0.0.1:${port}/", every: 1s }\n`;
    await start(notify);
    order({ address: "192.0.2.1" });
    await until("it was refused", () => /self.signed/.test(hook()?.lastTrouble ?? ""));
    expect(got).toEqual([]);
    await daemon?.end();
    home.configure(
      `sources: { detector: { type: file, path: HOME/orders, orders: true } }\nstate: false\nnotify:\n${notify}`,
    );
    daemon = await RunningDaemon.start(home, here, {
      args: ["--dry-run"],
      command: ["env", `NODE_EXTRA_CA_CERTS=${cert}`, STOPLOG],
    });
    order({ address: "192.0.2.2" });
    await until(
      "the message arrived",
      () => got.length === 1,
      () => daemon?.log ?? "",
    );
  });

  it("stops in time with a server that never answers, and reports what it could not send", async () => {
    const port = await serve(createPlainServer(() => undefined));
    await start(`  team: { type: webhook, url: "http://127.0.0.1:${port}/", timeout: 1h, every: 1s }\n`);
    order({ address: "192.0.2.1" });
    await until("one is under way", () => hook()?.waiting === 1);
    await daemon?.end(); // waits for ten seconds, not for an hour
    expect(daemon?.log).toContain(
      "Cannot notify team: 127.0.0.1 had not answered when Stoplog stopped; 1 change not sent",
    );
  });

  it("mails through sendmail: the first ban at once, the rest at the end", async () => {
    const sendmail = home.file("sendmail");
    writeFileSync(
      sendmail,
      `#!/bin/sh\nn=$(ls ${home.path} | grep -c ^mail)\ncat > ${home.file("mail")}$n\n`,
    );
    chmodSync(sendmail, 0o755);
    await start(`  admin: { type: mail, to: root, sendmail: HOME/sendmail }\n`);
    order({ address: "192.0.2.1", reason: "scan\r\nBcc: other@example.org" });
    await until("the first mail", () => hook("admin")?.sent === 1);
    const mail = readFileSync(home.file("mail0"), "utf8");
    expect(mail).toMatch(/^To: root\nSubject: Stoplog on \S+: Banned 192\.0\.2\.1\n/);
    expect(mail).not.toMatch(/^Bcc/m);
    order({ address: "192.0.2.2" }, { address: "192.0.2.3" });
    await until("two changes wait", () => hook("admin")?.waiting === 2);
    await daemon?.end();
    expect(existsSync(home.file("mail1"))).toBe(true);
    expect(readFileSync(home.file("mail1"), "utf8")).toMatch(
      /Subject: .*2 addresses banned\n[^]*192\.0\.2\.2[^]*192\.0\.2\.3/,
    );
  });

  it("reports bans of its own jails to AbuseIPDB, each address once", async () => {
    const port = await serve(createPlainServer(listener));
    writeFileSync(home.file("key"), "k3y\n");
    writeFileSync(home.file("log"), "");
    home.configure(
      `sources: { auth: { type: file, path: HOME/log }, detector: { type: file, path: HOME/orders, orders: true } }
jails: { sshd: { sources: auth, filter: { failregex: ["^fail <HOST>$"] }, maxretry: 1, ipv6_prefix: 128 } }
state: false
notify:
  abuse: { type: webhook, template: abuseipdb, url: "http://127.0.0.1:${port}/report", key_file: HOME/key, categories: { sshd: [18, 22] } }
`,
    );
    daemon = await RunningDaemon.start(home, here, { args: ["--dry-run"] });
    order({ address: "192.0.2.9" });
    appendFileSync(home.file("log"), "fail 192.0.2.1\nfail 10.0.0.1\nfail 2001:db8::1\n");
    await until(
      "both are reported",
      () => hook("abuse")?.sent === 2,
      () => daemon?.log ?? "",
    );
    daemon.command("unban", "192.0.2.1");
    appendFileSync(home.file("log"), "fail 192.0.2.1\nfail 192.0.2.2\n");
    await until("the third address is reported", () => hook("abuse")?.sent === 3);
    expect(got.map((body) => new URLSearchParams(body).get("ip"))).toEqual([
      "192.0.2.1",
      "2001:db8::1",
      "192.0.2.2",
    ]);
    expect(daemon.command("notify", "abuse", "--test").output).toContain("AbuseIPDB has no test reports");
  });
});
