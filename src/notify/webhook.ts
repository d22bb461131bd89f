import { factOf, StoplogError } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { CommonOptions, WebhookOptions } from "./options.ts";
import { type Deliver, later, refused } from "./outcome.ts";
import { post } from "./post.ts";
import { readSecret } from "./read-secret.ts";
import { signature, SIGNATURE_HEADER } from "./sign.ts";
import { isReportedAlready } from "./template/abuseipdb.ts";
import { render } from "./template/render.ts";

export interface WebhookDeps {
  readonly userAgent: string;
  readonly now: () => Instant;
}

/** Sends messages to a URL, each as its template has it. */
export function webhook(options: CommonOptions & WebhookOptions, { userAgent, now }: WebhookDeps): Deliver {
  const { template, keyFile, secretFile, timeout } = options;
  return async (message, signal) => {
    if (message.test && template.kind === "abuseipdb")
      return refused("a report cannot be tried out: it would accuse somebody");
    try {
      const key = keyFile === null ? null : await readSecret(keyFile);
      const request = render(template, message, { url: await urlOf(options.url), key });
      const secret = secretFile === null ? null : await readSecret(secretFile);
      const headers = {
        "user-agent": userAgent,
        "x-stoplog-delivery": message.id,
        ...request.headers,
        ...lowerCased(options.headers),
        ...(secret === null ? {} : { [SIGNATURE_HEADER]: signature(request.body, secret, now()) }),
      };
      const outcome = await post({ ...request, headers }, timeout, signal);
      const isKnown =
        template.kind === "abuseipdb" && outcome.kind === "later" && isReportedAlready(outcome.fact);
      return isKnown ? { kind: "sent" } : outcome;
    } catch (thrown) {
      return later(factOf(thrown));
    }
  };
}

async function urlOf(url: WebhookOptions["url"]): Promise<URL> {
  const text = "text" in url ? url.text : await readSecret(url.file);
  // The text is not quoted: who knows the URL may send to it.
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new StoplogError(`Cannot send: what stands in ${"file" in url ? url.file : "url"} is no http URL`);
  return new URL(text);
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
