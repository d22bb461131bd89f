import type { Duration } from "../core/time.ts";

/** Somebody or something that is told of bans: what the configuration says of it. */
export type HookOptions = CommonOptions & (WebhookOptions | MailOptions | ProgramOptions);

export interface CommonOptions {
  readonly name: string;
  readonly wanted: Wanted;
  /** How long it takes until a message may follow another; what happens meanwhile goes together. */
  readonly every: Duration;
  /** Changes of a message that are told one by one; of the rest it says how many. */
  readonly most: number;
  /** A message for each change, and none that sums up. */
  readonly each: boolean;
  /** For one try. */
  readonly timeout: Duration;
}

/** Which changes it is told of; null for those of all. */
export interface Wanted {
  readonly events: readonly EventKind[];
  readonly jails: readonly string[] | null;
  readonly origins: readonly string[] | null;
  readonly targets: readonly string[] | null;
}

export type EventKind = "ban" | "prolong" | "lift";

export interface WebhookOptions {
  readonly type: "webhook";
  /** A file's text is read anew for each message. */
  readonly url: { readonly text: string } | { readonly file: string };
  readonly template: Template;
  readonly headers: Readonly<Record<string, string>>;
  /** Holds what the service knows us by; each has its own place for it. */
  readonly keyFile: string | null;
  /** Holds the secret that messages are signed with. */
  readonly secretFile: string | null;
}

/** What the body of a message looks like, and what is needed for it. */
export type Template =
  | { readonly kind: "json" | "slack" | "discord" | "teams" | "mattermost" | "ntfy" | "gotify" }
  | { readonly kind: "telegram"; readonly chatId: string }
  | { readonly kind: "matrix"; readonly room: string }
  /** AbuseIPDB's categories, by jail. */
  | { readonly kind: "abuseipdb"; readonly categories: Readonly<Record<string, readonly number[]>> }
  /** The user's own, in which names in braces are filled in. */
  | { readonly kind: "body"; readonly text: string; readonly contentType: string };

export interface MailOptions {
  readonly type: "mail";
  readonly to: readonly string[];
  /** Null for what sendmail makes of it. */
  readonly from: string | null;
  /** A program that takes sendmail's `-t -i`. */
  readonly sendmail: string;
}

export interface ProgramOptions {
  readonly type: "command";
  readonly command: readonly string[];
}
