import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodedWords, mailText, sendMail } from "./mail.ts";
import { change, COMMON, message } from "../../../test/support/notify-messages.ts";

const TO = { to: ["root", "me@example.org"], from: "stoplog@example.org" };

/** Headers with their folded lines put together, and the body decoded. */
function read(text: string) {
  const end = text.indexOf("\n\n");
  const headers = text
    .slice(0, end)
    .replace(/\n /g, " ")
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const);
  const isBase64 = headers.some(
    ([name, value]) => name === "Content-Transfer-Encoding" && value === "base64",
  );
  const body = text.slice(end + 2);
  return {
    names: headers.map(([name]) => name),
    subject: headers.find(([name]) => name === "Subject")?.[1] ?? "",
    body: isBase64 ? Buffer.from(body, "base64").toString("utf8") : body,
  };
}

describe("a mail", () => {
  it("has the change in its subject, and address and reason in its body", () => {
    expect(mailText(message([change("192.0.2.1")]), TO)).toBe(
      [
        "To: root,",
        " me@example.org",
        "From: stoplog@example.org",
        "Subject: Stoplog on web1: Banned 192.0.2.1",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "Banned 192.0.2.1 at default for 1h (sshd): 5 failures in 10m",
        "",
      ].join("\n"),
    );
  });

  it("has no additional header or line, whatever a reason or a host name contains", () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        "x\r\nBcc: other@example.org\r\n\r\nbody",
        "\n.\n",
        "=?utf-8?B?QQ==?=",
        "ü".repeat(300),
      ),
      fc.string({ unit: "binary", maxLength: 200 }),
    );
    fc.assert(
      fc.property(hostile, hostile, (reason, host) => {
        const text = mailText(message([change("192.0.2.1", { reason })], { host }), TO);
        const { names, body } = read(text);
        expect(names).toEqual([
          "To",
          "From",
          "Subject",
          "Auto-Submitted",
          "MIME-Version",
          "Content-Type",
          "Content-Transfer-Encoding",
        ]);
        expect(body.trimEnd().split("\n")).toHaveLength(1);
        expect(text).toMatch(/^[\x20-\x7e\n]*$/);
        expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(998);
      }),
    );
  });

  it("encodes other text than ASCII as encoded words, which decode to the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const words = encodedWords(`é${text}`).split("\n ");
        expect(Math.max(...words.map((word) => word.length))).toBeLessThanOrEqual(75);
        const read = words.map((word) =>
          Buffer.from(/^=\?utf-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? "", "base64"),
        );
        // Each by itself is whole: no character is cut in two.
        expect(read.map((bytes) => bytes.toString("utf8")).join("")).toBe(`é${text}`);
      }),
    );
  });
});

describe("sendmail", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-mail-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const fake = (script: string): string => {
    const path = join(folder, "sendmail");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const send = (sendmail: string, timeout = 5000, signal = new AbortController().signal) =>
    sendMail({ ...COMMON, type: "mail", each: false, ...TO, sendmail, timeout })(
      message([change("192.0.2.1")]),
      signal,
    );

  it("gets the message on standard input, and only the arguments -t -i", async () => {
    const sendmail = fake(`echo "$# $@" > ${folder}/args; cat > ${folder}/mail`);
    expect(await send(sendmail)).toEqual({ kind: "sent" });
    expect(readFileSync(join(folder, "args"), "utf8")).toBe("2 -t -i\n");
    expect(readFileSync(join(folder, "mail"), "utf8")).toBe(mailText(message([change("192.0.2.1")]), TO));
  });

  it("that fails, is missing, or takes too long is retried, with its last line of standard error", async () => {
    expect(await send(fake("echo 'queue is full' >&2; exit 75"))).toMatchObject({
      kind: "later",
      fact: `${folder}/sendmail exited with 75: queue is full`,
    });
    expect(await send(join(folder, "missing"))).toMatchObject({
      fact: `there is no program ${folder}/missing`,
    });
    const slow = fake("sleep 600");
    expect(await send(slow, 200)).toMatchObject({ fact: expect.stringContaining("took longer than 200ms") });
    const abort = new AbortController();
    const sent = send(slow, 60_000, abort.signal);
    abort.abort();
    expect(await sent).toMatchObject({ kind: "later" });
  });
});
