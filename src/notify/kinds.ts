import { StoplogError } from "../core/errors.ts";
import { command } from "./command/kind.ts";
import type { NotifierKind } from "./kind.ts";
import { mail } from "./mail/kind.ts";
import type { NotifierOptions } from "./options.ts";
import { webhook } from "./webhook/kind.ts";

/** Every kind of notifier, in the order of the reference. */
export const NOTIFIER_KINDS: readonly NotifierKind[] = [webhook, mail, command];

/** The kind of a notification. Throws a StoplogError when there is none of that name. */
export function kindOf({ type }: NotifierOptions): NotifierKind {
  const kind = NOTIFIER_KINDS.find(({ name }) => name === type);
  if (kind === undefined) throw new StoplogError(`Cannot notify by ${type}: there is no such type`);
  return kind;
}
