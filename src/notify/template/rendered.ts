/** The request that carries a message. */
export interface Rendered {
  readonly method: "POST" | "PUT";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The URL, and the key by which the service knows us; null for none. */
export interface Addressee {
  readonly url: URL;
  readonly key: string | null;
}

/** A POST of a JSON document. */
export function postJson(
  url: URL,
  document: unknown,
  headers: Readonly<Record<string, string>> = {},
): Rendered {
  return {
    method: "POST",
    url,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(document),
  };
}

/** `Authorization: Bearer KEY` (RFC 6750), or nothing. */
export function bearer(key: string | null): Readonly<Record<string, string>> {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}
