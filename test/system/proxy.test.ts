import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Book } from "../../src/book/book.ts";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { FOREVER } from "../../src/core/time.ts";
import { HEADER } from "../../src/enforce/proxy/formats.ts";
import { proxy, type ProxyTarget } from "../../src/enforce/proxy/kind.ts";
import { Reconciler } from "../../src/enforce/reconcile.ts";
import { Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { PROXY_SETUPS, proxyFault, type ProxySetup, WebProxy } from "../support/web-proxies.ts";

const BANNED = "192.0.2.66";
const OTHER = "192.0.2.67";

describe.each(PROXY_SETUPS)("$package with $format", (setup) => {
  const fault = namespaceFault() ?? proxyFault(setup);

  it.skipIf(fault !== null)(
    titled("refuses banned clients behind X-Forwarded-For, and no others", fault),
    async () => {
      const { book, reconciler, server } = await started(setup);
      expect([await server.ask(BANNED), await server.ask(OTHER)]).toEqual([200, 200]);
      ban(book, BANNED);
      await expect.poll(() => server.ask(BANNED), PATIENCE).toBe(403);
      expect(await server.ask(OTHER)).toBe(200);
      if (setup.format !== "apache-map") {
        ban(book, "198.51.100.0/25");
        await expect.poll(() => server.ask("198.51.100.127"), PATIENCE).toBe(403);
        expect(await server.ask("198.51.100.128")).toBe(200);
        ban(book, "2001:db8::/64");
        await expect.poll(() => server.ask("2001:db8::1"), PATIENCE).toBe(403);
        expect(await server.ask("2001:db8:0:1::1")).toBe(200);
      }
      book.unban(prefix(BANNED), "operator");
      await expect.poll(() => server.ask(BANNED), PATIENCE).toBe(200);
      ban(book, OTHER);
      await expect.poll(() => server.ask(OTHER), PATIENCE).toBe(403);
      expect(await server.ask(BANNED)).toBe(200);
      expect(reconciler.stats).toMatchObject({ state: "ready", refused: 0, lastTrouble: null });
      await reconciler.close({ flush: true });
      await expect.poll(() => server.ask(OTHER), PATIENCE).toBe(200);
    },
  );

  it.skipIf(fault !== null)(
    titled("refuses them over a stop of Stoplog, and a start of its own", fault),
    async () => {
      const { book, reconciler, server, path } = await started(setup);
      ban(book, BANNED);
      await reconciler.caughtUp();
      await reconciler.close({ flush: false });
      expect(readFileSync(path, "utf8")).toContain(BANNED);
      await expect.poll(() => server.ask(BANNED), PATIENCE).toBe(403);
      await server.stop();
      await server.start();
      expect([await server.ask(BANNED), await server.ask(OTHER)]).toEqual([403, 200]);
    },
  );
});

describe.each(PROXY_SETUPS.filter(({ hasSocket }) => hasSocket))(
  "HAProxy's runtime socket with $format",
  (setup) => {
    const fault = namespaceFault() ?? proxyFault(setup);
    const noun = setup.format === "haproxy-acl" ? "acl" : "map";

    it.skipIf(fault !== null)(titled("takes bans at once, thousands of them", fault), async () => {
      const { book, reconciler, server, path } = await started(setup);
      for (let i = 0; i < 3000; i++) ban(book, `10.0.${i >> 8}.${i & 255}`);
      await reconciler.caughtUp();
      expect(await server.ask("10.0.11.0")).toBe(403);
      expect(await entries(server, `show ${noun} ${path}`)).toHaveLength(3000);
      for (let i = 0; i < 3000; i++) book.unban(prefix(`10.0.${i >> 8}.${i & 255}`), "operator");
      await reconciler.caughtUp();
      expect(await entries(server, `show ${noun} ${path}`)).toEqual([]);
      expect(await server.ask("10.0.11.0")).toBe(200);
    });

    it.skipIf(fault !== null)(titled("is brought in step when HAProxy lost bans", fault), async () => {
      const { book, reconciler, server, path, enforcer } = await started(setup);
      ban(book, BANNED);
      await reconciler.caughtUp();
      expect(await enforcer.missing?.(Date.now())).toBeNull();
      await entries(server, `clear ${noun} ${path}`);
      expect(await server.ask(BANNED)).toBe(200);
      expect(await enforcer.missing?.(Date.now())).toBe(`HAProxy was started again, or lost bans of ${path}`);
      await reconciler.resync();
      expect(await server.ask(BANNED)).toBe(403);
      // A start reads the file: no ban is missing, and none is there twice.
      await server.stop();
      expect(await enforcer.missing?.(Date.now()).catch(String)).toMatch(/Cannot use HAProxy's socket/);
      await server.start();
      expect(await enforcer.missing?.(Date.now())).toMatch(/^HAProxy was started again/);
      await reconciler.resync();
      expect(await entries(server, `show ${noun} ${path}`)).toHaveLength(1);
      expect(await enforcer.missing?.(Date.now())).toBeNull();
    });

    it.skipIf(fault !== null)(titled("in trouble is said, and tried again", fault), async () => {
      const { book, reconciler, server } = await started(setup);
      await server.stop();
      ban(book, BANNED);
      await reconciler.caughtUp();
      expect(reconciler.stats.state).toBe("in trouble");
      expect(reconciler.stats.lastTrouble).toMatch(/^Cannot use HAProxy's socket .*admin\.sock: /);
      await server.start();
      await expect.poll(() => reconciler.stats.state, PATIENCE).toBe("ready");
      expect(await server.ask(BANNED)).toBe(403);
    });
  },
);

const nginxGeo = PROXY_SETUPS.find(({ format }) => format === "nginx-geo") as ProxySetup;
const daemonFault = namespaceFault() ?? proxyFault(nginxGeo);

describe.skipIf(daemonFault !== null)(titled("a daemon whose target is a proxy", daemonFault), () => {
  it("bans a client that fails to log in through the proxy, and lets others in", async () => {
    const { namespace, folder, path } = place();
    const server = new WebProxy(nginxGeo, namespace, folder, path);
    onTestFinished(() => server.stop());
    writeFileSync(path, "");
    writeFileSync(join(folder, "passwords"), "");
    writeFileSync(join(folder, "access.log"), "");
    await server.start();
    const home = new Home();
    onTestFinished(() => home.remove());
    home.configure(`
sources: { access: { type: file, path: ${folder}/access.log } }
targets: { web: { enforcer: proxy, format: nginx-geo, path: ${path}, reload: ${JSON.stringify(server.reload)}, reload_every: 1s } }
jails:
  web: { sources: access, maxretry: 3, target: web, filter: { failregex: '^<HOST> - \\S+ \\[[^\\]]*\\] "GET /private/ [^"]*" 401 ' } }
ignoreip: [127.0.0.0/8]
state: HOME/state
`);
    const daemon = await RunningDaemon.start(home, namespace, { args: ["--flush-on-exit"] });
    onTestFinished(() => daemon.end("SIGKILL"));
    for (let i = 0; i < 3; i++) expect(await server.ask(BANNED, "/private/")).toBe(401);
    await expect.poll(() => server.ask(BANNED), PATIENCE).toBe(403);
    expect(await server.ask(OTHER)).toBe(200);
    await daemon.end();
    expect(readFileSync(path, "utf8")).toBe(HEADER);
    await expect.poll(() => server.ask(BANNED), PATIENCE).toBe(200);
  });
});

it.each(PROXY_SETUPS)("the guide has the tested rules for $format", ({ format, config }) => {
  const guide = readFileSync(new URL("../../docs/guide/proxy.md", import.meta.url), "utf8");
  const path = `/var/lib/stoplog/${format.replace("-", ".")}`;
  const rules = config.split("\n").filter((line) => /BANNED|banned/.test(line));
  expect(rules).not.toEqual([]);
  for (const rule of rules) expect(guide).toContain(rule.replace("BANNED", path).trim());
});

const PATIENCE = { timeout: 15_000, interval: 50 };

/** A namespace, and a folder that every user may enter. */
function place() {
  const namespace = Namespace.create("proxy");
  onTestFinished(() => namespace.remove());
  const folder = mkdtempSync(join(tmpdir(), "stoplog-proxy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return { namespace, folder, path: join(folder, "banned") };
}

/** A proxy that runs, and a reconciler that keeps it in step with a book. */
async function started(setup: ProxySetup) {
  const { namespace, folder, path } = place();
  const server = new WebProxy(setup, namespace, folder, path);
  const target: ProxyTarget = {
    name: "web",
    enforcer: "proxy",
    format: setup.format,
    path,
    mode: 0o644,
    // Apache looks at a map's time by itself.
    reload: setup.format === "apache-map" ? null : server.reload,
    reloadEvery: 500,
    socket: setup.hasSocket === true ? server.socket : null,
    timeout: 10_000,
  };
  const book = new Book({ capacity: 10_000, changes: 20_000 });
  const enforcer = await proxy.open(noNews);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const reconciler = new Reconciler(enforcer, book, { now: () => Date.now(), sleep, warn: () => undefined });
  onTestFinished(() => reconciler.close({ flush: false }).catch(() => undefined));
  await reconciler.open([target]);
  await server.start();
  onTestFinished(() => server.stop());
  await reconciler.resync();
  return { book, enforcer, reconciler, server, path };
}

function ban(book: Book, text: string): void {
  const origin = "local";
  const since = Date.now();
  book.ban({
    prefix: prefix(text),
    target: "web",
    jail: "web",
    reason: "a test",
    since,
    until: FOREVER,
    origin,
  });
}

/** What HAProxy answers to a command, line by line. */
function entries(server: WebProxy, command: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: server.socket });
    let text = "";
    socket.on("data", (piece: Buffer) => (text += piece.toString()));
    socket.on("error", reject);
    socket.on("end", () => resolve(text.split("\n").filter((line) => line !== "")));
    socket.write(`${command}\n`);
  });
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}

function noNews(sentence: string): void {
  throw new Error(sentence);
}
