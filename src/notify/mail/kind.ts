import { LIMITS } from "../../core/limits.ts";
import { MINUTE } from "../../core/time.ts";
import { type NotifierKind, notifierKeys, type Values } from "../kind.ts";
import type { NotifierOptions } from "../options.ts";

export interface MailOptions extends NotifierOptions {
  readonly type: "mail";
  readonly to: readonly string[];
  /** Null for sendmail's own choice. */
  readonly from: string | null;
  /** A program that takes sendmail's `-t -i`. */
  readonly sendmail: string;
}

/** E-mail. */
export const mail: NotifierKind<MailOptions> = {
  name: "mail",
  summary: "E-mail.",
  description: "E-mail through the machine's own sendmail.",
  options: notifierKeys(
    (v) => ({
      to: v
        .oneOrMore(mailbox(v), "an address or a list of them")
        .meta({ description: "The recipients.", examples: ["root", ["me@example.org"]] }),
      from: mailbox(v)
        .optional()
        .meta({
          description: "The sender. Without it, sendmail chooses.",
          examples: ["stoplog@example.org"],
        }),
      sendmail: v
        .path()
        .default("/usr/sbin/sendmail")
        .meta({ description: "The program, run with `-t -i`.", examples: ["/usr/bin/msmtp"] }),
    }),
    ({ to, from = null, sendmail }): MailOptions => ({ type: "mail", each: false, to, from, sendmail }),
  ),
  defaults: () => ({ every: 5 * MINUTE, most: LIMITS.notifyListed.value }),
  open: async (options) => (await import("./mail.ts")).sendMail(options),
};

/** An address that cannot end its header line or be taken for an option. */
function mailbox(v: Values) {
  return v
    .text("an address")
    .max(254, { error: "must be an address of at most 254 characters" })
    .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_{|}~][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]*(?:@[A-Za-z0-9.-]+)?$/, {
      error: (issue) => `must be an address such as root or me@example.org, not ${v.shown(issue.input)}`,
    });
}
