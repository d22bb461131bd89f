import type { z } from "zod";
import type { Judge, Referable, Values } from "../kind.ts";
import type { Message } from "../message.ts";
import type { Section } from "../../schema/section.ts";
import type { Addressee, Rendered } from "./rendered.ts";

/** The shape of a webhook's body, with what the configuration says of it. */
export interface Template {
  /** The name of its kind. */
  readonly kind: string;
}

/** One shape of a webhook's body. `templates.ts` lists them. */
export interface TemplateKind<Options extends Template = Template> {
  /** The value of `template` in a webhook. */
  readonly name: string;
  /** Other values of `template` that mean the same. */
  readonly alias?: string;
  /** The service's URL, where there is only one. */
  readonly url?: string;
  /** Whether `key_file` is required. */
  readonly needsKey?: boolean;
  /** Keys of the webhook that this template needs and no other takes; their schemas are optional. */
  readonly keys?: Readonly<Record<string, (values: Values) => z.ZodType>>;
  /** What those keys come to; each of them is written. */
  read?(values: Readonly<Record<string, unknown>>, section: Section, known: Referable): Options;
  /** Lists as many changes as a message can hold: programs read it, not people. */
  readonly listsAll?: boolean;
  /** A message for each change, whatever `each` says. */
  readonly each?: boolean;
  judge?(options: Options): Judge;
  /** Why a test message cannot be sent. */
  readonly untestable?: string;
  /** Whether a refusal says that the service has the message already. */
  isKnown?(fact: string): boolean;
  /** The request that brings a message to the service. */
  render(message: Message, to: Addressee, options: Options): Rendered;
}
