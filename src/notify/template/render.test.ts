import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../message.ts";
import { change, message, NOW } from "../../../test/support/notify-messages.ts";
import { isReportable } from "./abuseipdb.ts";
import { isBodyGood, unknownPlaceholders } from "./body.ts";
import type { Template as AnyTemplate } from "./template.ts";
import { templateKindOf } from "./templates.ts";

/** A template with the options of its kind. */
type Template = AnyTemplate & Readonly<Record<string, unknown>>;

const BODY = '{"who": "{addresses}", "why": "{reason}", "all": "{text}", "n": {count}}';
const TEMPLATES: readonly Template[] = [
  { kind: "json" },
  { kind: "slack" },
  { kind: "discord" },
  { kind: "teams" },
  { kind: "mattermost" },
  { kind: "telegram", chatId: "-100" },
  { kind: "ntfy" },
  { kind: "gotify" },
  { kind: "matrix", room: "!r:example.org" },
  { kind: "body", text: BODY, contentType: "application/json" },
];
const to = { url: new URL("https://example.org/base/topic"), key: "k3y" };
const rendered = (template: Template, told: Message) => templateKindOf(template).render(told, to, template);
const sent = (template: Template, reason: string) =>
  rendered(template, message([change("192.0.2.1", { reason }), change("2001:db8::b0b:0")]));
const parsed = (template: Template, reason: string) =>
  JSON.parse(sent(template, reason).body) as Record<string, unknown>;

const HOSTILE = [
  "@everyone @here @channel @room",
  "<!channel> <!everyone> <@U1> <@&2> <#C1> <https://evil.example|click>",
  '"}, {"text": "forged"',
  "\r\nBcc: other@example.org\r\n\r\n.\r\n",
  "`` ``` ` **bold** [link](https://evil.example) ||x|| _y_ ~z~",
  "\u001b[31m\u0000\u202e\u2066\u200b\ud800",
  "{address} {reason} ${x} {{DATE(2026-01-01)}} <at>all</at>",
  "x".repeat(200_000),
  "\ud83d\ude00".repeat(100_000),
];
const reasons = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(fc.constantFrom(...HOSTILE.slice(0, 7)), { maxLength: 4 }).map((parts) => parts.join("")),
);

/** Every text anywhere in a document. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The keys of a document, to see that nothing was added. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

describe.each(TEMPLATES.map((template) => [template.kind, template] as const))(
  "the body for %s",
  (kind, template) => {
    it("is a document of the same shape and of bounded length, whatever the reason contains", () => {
      const shape = shapeOf(parsed(template, "harmless"));
      fc.assert(
        fc.property(reasons, (reason) => {
          const { body } = sent(template, reason);
          expect(shapeOf(JSON.parse(body))).toEqual(shape);
          expect(body.length).toBeLessThan(12_000);
        }),
      );
    });

    it("contains no mention and no link from a reason", () => {
      if (kind === "json" || kind === "body") return; // for programs: the text stays what it is
      fc.assert(
        fc.property(reasons, (reason) => {
          for (const text of textsIn(parsed(template, reason))) {
            expect(text).not.toMatch(/@(?:everyone|here|channel|room|all)/);
            if (!text.startsWith("http://adaptivecards.io/")) expect(text).not.toContain("://");
            if (kind === "slack") expect(text).not.toMatch(/[<>]/);
            expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e\u2066]/);
          }
        }),
      );
    });

    it("keeps a reason within one line, and in code marks where there is Markdown", () => {
      if (!["slack", "discord", "mattermost"].includes(kind)) return;
      fc.assert(
        fc.property(reasons, (reason) => {
          const text = String(parsed(template, reason)[kind === "discord" ? "content" : "text"]);
          const lines = text.split("\n");
          expect(lines).toHaveLength(3);
          for (const line of lines) expect((line.match(/`/g) ?? []).length % 2).toBe(0);
          const outside = lines.map((line) => line.replace(/`[^`]*`/g, "")).join("\n");
          expect(outside).toMatch(
            /^Stoplog on web1: 2 addresses banned\nBanned  at  for 1h \(\)(?:: )?\nBanned  at  for 1h \(\): $/,
          );
        }),
      );
    });
  },
);

describe("the request", () => {
  it("contains the changes word for word, for programs", () => {
    expect(parsed({ kind: "json" }, 'a "b"\r\nc')).toEqual({
      version: 1,
      id: "a1b2",
      host: "web1",
      test: false,
      summary: "2 addresses banned",
      count: { ban: 2, prolong: 0, lift: 0 },
      missed: 0,
      events: [
        {
          seq: 7,
          epoch: "e1",
          kind: "ban",
          address: "192.0.2.1",
          jail: "sshd",
          target: "default",
          reason: 'a "b"\r\nc',
          since: "2026-11-20T00:00:00.000Z",
          until: "2026-11-20T01:00:00.000Z",
          origin: "local",
          by: null,
          host: "web1",
        },
        expect.objectContaining({ address: "2001:db8::b0b:0" }),
      ],
    });
  });

  it("has the URL, method and key of each service", () => {
    const place = (template: Template) => {
      const { method, url, headers } = sent(template, "x");
      return [method, url.href, headers["authorization"] ?? headers["x-gotify-key"] ?? null];
    };
    expect(place({ kind: "telegram", chatId: "1" })).toEqual([
      "POST",
      "https://example.org/base/topic/botk3y/sendMessage",
      null,
    ]);
    expect(place({ kind: "ntfy" })).toEqual(["POST", "https://example.org/base/", "Bearer k3y"]);
    expect(parsed({ kind: "ntfy" }, "x")).toMatchObject({ topic: "topic" });
    expect(place({ kind: "gotify" })).toEqual(["POST", "https://example.org/base/topic/message", "k3y"]);
    expect(place({ kind: "matrix", room: "!r:example.org" })).toEqual([
      "PUT",
      "https://example.org/base/topic/_matrix/client/v3/rooms/!r%3Aexample.org/send/m.room.message/a1b2",
      "Bearer k3y",
    ]);
    expect(parsed({ kind: "discord" }, "x")).toMatchObject({ allowed_mentions: { parse: [] } });
    expect(parsed({ kind: "matrix", room: "!r" }, "x")).toMatchObject({ "m.mentions": {} });
  });

  it("leaves out whole lines beyond a service's bound, and says how many", () => {
    const many = Array.from({ length: 100 }, (_, n) =>
      change(`192.0.2.${n}`, { reason: "long ".repeat(50) }),
    );
    const { content } = JSON.parse(rendered({ kind: "discord" }, message(many)).body) as {
      content: string;
    };
    expect(content.length).toBeLessThan(2000);
    expect(content).toMatch(/\n… \(\d+ lines more\)$/);
    const told = message(many.slice(0, 2), { more: { ban: 9000, prolong: 0, lift: 1 }, missed: 500 });
    const { text } = JSON.parse(rendered({ kind: "telegram", chatId: "1" }, told).body) as { text: string };
    expect(text.split("\n")).toEqual([
      "Stoplog on web1: 9,002 addresses banned, 1 address unbanned, 500 changes",
      expect.stringMatching(/^Banned 192\.0\.2\.0 at default for 1h \(sshd\): long/),
      expect.stringMatching(/^Banned 192\.0\.2\.1 /),
      "And 9,000 addresses banned, 1 address unbanned that are not listed.",
      "And 500 changes that came too fast to be read.",
    ]);
  });
});

describe("a body of the operator's", () => {
  const fill = (text: string, contentType: string, reason: string) =>
    sent({ kind: "body", text, contentType }, reason).body;

  it("is escaped for its content type", () => {
    expect(fill("ip={address}&why={reason}", "application/x-www-form-urlencoded", "a&ip=1 é")).toBe(
      "ip=192.0.2.1&why=a%26ip%3D1%20%C3%A9",
    );
    expect(fill("<a b='{reason}'/>", "application/xml", "'<x>&")).toBe("<a b='&#39;&#60;x&#62;&#38;'/>");
    expect(fill("{reason}|{kind}|{count}|{until}", "text/plain", "a\r\nb")).toBe(
      "a\\x0d\\x0ab|ban|2|2026-11-20T01:00:00.000Z",
    );
  });

  it("stays JSON, or a form, whatever a reason contains", () => {
    fc.assert(
      fc.property(reasons, (reason) => {
        const body = JSON.parse(fill(BODY, "application/json", reason)) as Record<string, unknown>;
        expect(Object.keys(body)).toEqual(["who", "why", "all", "n"]);
        const form = new URLSearchParams(fill("a={reason}&b=1", "application/x-www-form-urlencoded", reason));
        expect([...form.keys()]).toEqual(["a", "b"]);
      }),
    );
  });

  it("is checked when the configuration is read", () => {
    expect(unknownPlaceholders('{"a": {"b": "{adress} {reason}"}}')).toEqual(["adress"]);
    expect(isBodyGood('{"a": {"b": "{address}"}, "n": {count}}', "application/json")).toBe(true);
    for (const name of ["address", "jail", "reason", "until", "kind", "text", "by", "summary"])
      expect(isBodyGood(`{"a": {${name}}}`, "application/json"), name).toBe(false);
    expect(isBodyGood("{address}", "text/plain")).toBe(true);
  });
});

describe("a report to AbuseIPDB", () => {
  const template = { kind: "abuseipdb", categories: { sshd: [18, 22] } } as const;

  it("is a form with the key in a header, without user names", () => {
    const { body, headers } = rendered(template, message([change("2001:db8::1")]));
    expect(headers).toMatchObject({ key: "k3y" });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      ip: "2001:db8::1",
      categories: "18,22",
      comment: "Stoplog, jail sshd: 5 failures in 10m",
      timestamp: new Date(NOW).toISOString(),
    });
  });

  it("is sent only for bans by our own jails with categories, of public hosts", () => {
    const fits = (address: string, more = {}) => isReportable(change(address, more), template);
    expect(["192.0.2.1", "2001:db8::1"].map((one) => fits(one))).toEqual([true, true]);
    for (const one of ["192.0.2.0/24", "10.1.2.3", "127.0.0.1", "::1", "fe80::1", "fd00::1", "192.168.1.1"])
      expect(fits(one), one).toBe(false);
    expect(fits("192.0.2.1", { origin: "scorer" })).toBe(false);
    expect(fits("192.0.2.1", { jail: "nginx" })).toBe(false);
    expect(isReportable({ ...change("192.0.2.1"), kind: "lift", by: "expiry" }, template)).toBe(false);
  });
});
