import type { z } from "zod";

/** What the reference page says of a section of the configuration, in the file that reads the section. */
export interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly parts: readonly Part[];
  /** Follows the tables. */
  readonly end?: string;
}

/** A table of keys. */
export interface Part {
  /** Null for the keys of the section itself. */
  readonly title: string | null;
  /** Precedes the table. The schema's description, unless set. */
  readonly text?: string;
  readonly schema: z.ZodObject;
}
