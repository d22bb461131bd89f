import { factOf, StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { CommonOptions } from "../options.ts";
import { type Deliver, later, refused } from "../outcome.ts";
import { post } from "./post.ts";
import { readSecret } from "./read-secret.ts";
import { signature, SIGNATURE_HEADER } from "./sign.ts";
import { templateKindOf } from "../template/templates.ts";
import type { WebhookOptions } from "./kind.ts";

export interface WebhookDeps {
  readonly userAgent: string;
  readonly now: () => Instant;
}

/** Sends messages to a URL, in the shape of the template. */
export function sendWebhook(
  options: CommonOptions & WebhookOptions,
  { userAgent, now }: WebhookDeps,
): Deliver {
  const { template, keyFile, secretFile, timeout } = options;
  const kind = templateKindOf(template);
  return async (message, signal) => {
    if (message.test && kind.untestable !== undefined) return refused(kind.untestable);
    try {
      const key = keyFile === null ? null : await readSecret(keyFile);
      const request = kind.render(message, { url: await urlOf(options.url), key }, template);
      const secret = secretFile === null ? null : await readSecret(secretFile);
      const headers = {
        "user-agent": userAgent,
        "x-stoplog-delivery": message.id,
        ...request.headers,
        ...lowerCased(options.headers),
        ...(secret === null ? {} : { [SIGNATURE_HEADER]: signature(request.body, secret, now()) }),
      };
      const outcome = await post({ ...request, headers }, timeout, signal);
      const isKnown = outcome.kind === "later" && kind.isKnown?.(outcome.fact) === true;
      return isKnown ? { kind: "sent" } : outcome;
    } catch (thrown) {
      return later(factOf(thrown));
    }
  };
}

async function urlOf(url: WebhookOptions["url"]): Promise<URL> {
  const text = "text" in url ? url.text : await readSecret(url.file);
  // The error does not contain the URL: it may be a secret.
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new StoplogError(`Cannot send: ${"file" in url ? url.file : "url"} does not contain an http URL`);
  return new URL(text);
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
