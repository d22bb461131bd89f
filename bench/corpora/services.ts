import { dovecot } from "./services/dovecot.ts";
import { kernel } from "./services/kernel.ts";
import { named } from "./services/named.ts";
import { nginx } from "./services/nginx.ts";
import { postfix } from "./services/postfix.ts";
import type { Service } from "./services/service.ts";
import { sshd } from "./services/sshd.ts";

export const SERVICES = { sshd, nginx, kernel, postfix, dovecot, named } as const satisfies Record<
  string,
  Service
>;

export type ServiceName = keyof typeof SERVICES;
