/**
 * Some whole lines, each ended by LF (a CR before it belongs to the line's end), none longer than the bound.
 * The bytes are the source's own buffer: they are valid only until the sink returns.
 */
export interface LineBatch {
  readonly bytes: Buffer;
  /** The first byte of the first line. */
  readonly start: number;
  /** One past the LF of the last line. */
  readonly end: number;
  /** True for what was written before the source started, and for what newer lines have overtaken: it may be old. */
  readonly backlog: boolean;
}

/** Takes a batch and is done with its bytes when it returns. Never throws. */
export type LineSink = (batch: LineBatch) => void;
