/**
 * Whole lines, each ended by LF or CR LF, none longer than the bound.
 * The bytes are the source's own buffer, valid only until the sink returns.
 */
export interface LineBatch {
  readonly bytes: Buffer;
  /** The first byte of the first line. */
  readonly start: number;
  /** One past the LF of the last line. */
  readonly end: number;
  /** True for lines written before the source started, and for older lines that are read after newer ones. */
  readonly backlog: boolean;
  /** The same object for all batches of one log; absent where the source reads a single log. */
  readonly log?: object;
}

/** Takes a batch, and does not keep its bytes. Never throws. */
export type LineSink = (batch: LineBatch) => void;
