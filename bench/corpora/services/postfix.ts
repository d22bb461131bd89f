import { guest, PEOPLE, pid, type Service, USERS } from "./service.ts";

/** Postfix 3 through syslog. */
export const postfix: Service = {
  filter: "postfix",
  failure(stamp, address, random) {
    const head = `${stamp.syslog} mail postfix/smtpd[${pid(random)}]: `;
    if (random.below(3) > 0) {
      return `${head}warning: unknown[${address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=${random.pick(USERS)}@example.org`;
    }
    const mail = `<${random.pick(USERS)}@example.com>`;
    return `${head}NOQUEUE: reject: RCPT from unknown[${address}]: 554 5.7.1 ${mail}: Relay access denied; from=<x@example.net> to=${mail} proto=ESMTP helo=<example.net>`;
  },
  noise(stamp, random) {
    const head = `${stamp.syslog} mail postfix/`;
    const queue = random.hex(8).toUpperCase();
    const person = `<${random.pick(PEOPLE)}@example.org>`;
    switch (random.below(5)) {
      case 0:
        return `${head}smtpd[${pid(random)}]: connect from mail.example.net[${guest(random)}]`;
      case 1:
        return `${head}smtpd[${pid(random)}]: disconnect from mail.example.net[${guest(random)}] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7`;
      case 2:
        return `${head}cleanup[${pid(random)}]: ${queue}: message-id=<${random.hex(8)}.${random.hex(8)}@mail.example.net>`;
      case 3:
        return `${head}qmgr[812]: ${queue}: from=${person}, size=${random.below(90_000)}, nrcpt=1 (queue active)`;
      default:
        return `${head}lmtp[${pid(random)}]: ${queue}: to=${person}, relay=mail.example.org[private/dovecot-lmtp], delay=0.${random.below(99)}, delays=0.1/0/0/0.05, dsn=2.0.0, status=sent (250 2.0.0 Saved)`;
    }
  },
};
