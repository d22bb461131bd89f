import { clip, printable } from "../../core/printable.ts";
import { runProgram } from "../../core/run-program.ts";
import type { CommonOptions } from "../options.ts";
import type { MailOptions } from "./kind.ts";
import type { Message } from "../message.ts";
import { type Deliver, later } from "../outcome.ts";
import { linesOf, titleOf } from "../wording.ts";

/** Hands messages to the machine's sendmail, which routes and retries by itself. */
export function sendMail(options: CommonOptions & MailOptions): Deliver {
  return async (message, signal) => {
    const program = [options.sendmail, "-t", "-i"];
    const input = mailText(message, options);
    const { fact } = await runProgram(program, { input, timeout: options.timeout, signal });
    return fact === null ? { kind: "sent" } : later(fact);
  };
}

/** A message of RFC 5322, with LF line ends as local programs use them. */
export function mailText(message: Message, { to, from }: Pick<MailOptions, "to" | "from">): string {
  const lines = linesOf(message, printable);
  const encoded = bodyOf(`${lines.join("\n")}\n`);
  const headers = [
    `To: ${to.join(",\n ")}`,
    ...(from === null ? [] : [`From: ${from}`]),
    `Subject: ${encodedWords(clip(printable(titleOf(message)), 200))}`,
    // RFC 3834: no auto-reply.
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${encoded.encoding}`,
  ];
  return `${headers.join("\n")}\n\n${encoded.text}`;
}

/** RFC 2047, section 2: encoded words of at most 75 characters; no character is split. */
export function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes("=?") && text.length <= 900) return text;
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > BYTES_A_WORD) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((one) => `=?utf-8?B?${Buffer.from(one).toString("base64")}?=`).join("\n ");
}

/** 60 characters of base64. */
const BYTES_A_WORD = 45;

/** Plain if every mail system can carry it (RFC 5321, 4.5.3.1.6: 998 characters a line), else base64. */
function bodyOf(text: string): { readonly encoding: "7bit" | "base64"; readonly text: string } {
  const carried = /^[\x20-\x7e\n]*$/.test(text) && text.split("\n").every((line) => line.length <= 900);
  if (carried) return { encoding: "7bit", text };
  const base64 = Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\n");
  return { encoding: "base64", text: `${base64}\n` };
}
