import { describe, expect, it } from "vitest";
import { MINUTE, SECOND } from "../core/time.ts";
import { AUTH, good, read } from "../../test/support/read-config-text.ts";

const JAILS = `${AUTH}jails: { sshd: { sources: auth } }\n`;

describe("notifications in a configuration", () => {
  it("have defaults for every key of a webhook but its URL", () => {
    const { notify, notes } = good(
      `${JAILS}notify: { team: { type: webhook, url: 'https://example.org/x' } }\n`,
    );
    expect(notify).toEqual([
      {
        name: "team",
        type: "webhook",
        url: { text: "https://example.org/x" },
        template: { kind: "json" },
        headers: {},
        keyFile: null,
        secretFile: null,
        wanted: { events: ["ban"], jails: null, origins: null, targets: null },
        every: 10 * SECOND,
        most: 100,
        each: false,
        timeout: 10 * SECOND,
      },
    ]);
    expect(notes).toEqual([]);
  });

  it("read every key of every kind", () => {
    const { notify } = good(
      `${JAILS}notify:
  chat: { type: webhook, template: msteams, url_file: /etc/u, events: [ban, lift], jails: sshd, origins: [local], targets: default, every: 1m, most: 3, timeout: 30s, headers: { X-A: b }, secret_file: /etc/s } # words: ok
  bot: { type: webhook, template: telegram, chat_id: -100123, key_file: /etc/k }
  room: { type: webhook, template: matrix, room: '!r:example.org', url: 'https://example.org', key_file: /etc/k }
  own: { type: webhook, url: 'https://example.org', body: 'ip={address}', content_type: text/plain, each: true }
  abuse: { type: webhook, template: abuseipdb, key_file: /etc/k, categories: { sshd: [18, 22] } }
  admin: { type: mail, to: root, from: me@example.org, sendmail: /usr/bin/msmtp }
  tell: { type: command, command: [/bin/tell, -x] }
`,
    );
    expect(notify).toMatchObject([
      {
        template: { kind: "teams" },
        url: { file: "/etc/u" },
        wanted: { events: ["ban", "lift"], jails: ["sshd"], origins: ["local"], targets: ["default"] },
        every: MINUTE,
        most: 3,
        timeout: 30 * SECOND,
        headers: { "X-A": "b" },
        secretFile: "/etc/s",
      },
      {
        template: { kind: "telegram", chatId: "-100123" },
        url: { text: "https://api.telegram.org" },
        keyFile: "/etc/k",
        most: 10,
      },
      { template: { kind: "matrix", room: "!r:example.org" } },
      {
        template: { kind: "body", text: "ip={address}", contentType: "text/plain" },
        each: true,
        every: SECOND,
      },
      {
        template: { kind: "abuseipdb", categories: { sshd: [18, 22] } },
        url: { text: "https://api.abuseipdb.com/api/v2/report" },
        each: true,
      },
      { to: ["root"], from: "me@example.org", sendmail: "/usr/bin/msmtp", every: 5 * MINUTE },
      { command: ["/bin/tell", "-x"] },
    ]);
  });

  it("without encryption are noted, except on loopback", () => {
    const notes = (url: string) => good(`${JAILS}notify: { team: { type: webhook, url: '${url}' } }\n`).notes;
    expect(notes("http://192.0.2.1/x")).toEqual([
      "notification team uses http: anyone on the path can read it",
    ]);
    for (const url of ["http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/x"])
      expect(notes(url)).toEqual([]);
  });

  it.each([
    ["{}", "type is missing: one of webhook, mail, command"],
    [
      "{ type: weebhook }",
      'type must be one of webhook, mail, command, not "weebhook" (did you mean webhook?)',
    ],
    ["{ type: webhook }", "url is missing, or url_file"],
    ["{ type: webhook, url: 'https://a.example', url_file: /x }", "url cannot be combined with url_file"],
    [
      "{ type: webhook, url: 'ftp://a.example' }",
      "url must begin with https:// or http:// and hold no password",
    ],
    [
      "{ type: webhook, url: 'https://me:pw@a.example' }",
      "url must begin with https:// or http:// and hold no",
    ],
    ["{ type: webhook, url: 'https://a.example', template: slak }", "template must be json, slack,"],
    [
      "{ type: webhook, url: 'https://a.example', template: slack, body: x }",
      "body cannot be combined with template",
    ],
    ["{ type: webhook, url: 'https://a.example', content_type: text/plain }", "content_type needs body"],
    [
      "{ type: webhook, url: 'https://a.example', body: '{\"a\": \"{adress}\"}' }",
      "body: {adress} is not a placeholder (did you mean address?)",
    ],
    [
      "{ type: webhook, url: 'https://a.example', body: '{\"a\": {reason}}' }",
      "body is not JSON once it is filled in",
    ],
    ["{ type: webhook, template: telegram, key_file: /x }", "chat_id is missing: telegram needs it"],
    ["{ type: webhook, template: telegram, chat_id: 5 }", "key_file is missing: telegram needs a key"],
    ["{ type: webhook, url: 'https://a.example', chat_id: 5 }", "chat_id needs template: telegram"],
    ["{ type: webhook, template: abuseipdb, key_file: /x }", "categories is missing: abuseipdb needs it"],
    [
      "{ type: webhook, template: abuseipdb, key_file: /x, categories: { ssh: 18 } }",
      "jail ssh does not exist (did you mean sshd?); there is sshd",
    ],
    [
      "{ type: webhook, url: 'https://a.example', jails: [nginx] }",
      "jail nginx does not exist; there is sshd",
    ],
    ["{ type: webhook, url: 'https://a.example', targets: [x] }", "target x does not exist; there are"],
    ["{ type: webhook, url: 'https://a.example', events: [bans] }", "events 1 must be ban, prolong or lift"],
    ["{ type: webhook, url: 'https://a.example', headers: { 'X-A': \"a\\r\\nb\" } }", "headers.X-A"],
    ["{ type: webhook, url: 'https://a.example', every: 0 }", "every must be 1s or more"],
    ["{ type: mail }", "to is missing"],
    ['{ type: mail, to: "a@example.org\\nBcc: b@example.org" }', "to must be an address such as root"],
    ["{ type: mail, to: [-oQ/tmp] }", "must be an address such as root"],
    ["{ type: mail, to: root, sendmail: sendmail }", "sendmail must begin with /"],
    ["{ type: mail, to: root, url: x }", "unknown key url"],
    ["{ type: command }", "command is missing"],
  ])("are refused as %s", (text, fact) => {
    const { config, errors } = read(`${JAILS}notify:\n  team: ${text}\n`);
    expect(config).toBeNull();
    expect(errors.join("\n")).toContain(fact);
  });
});
