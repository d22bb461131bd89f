/** A line that a container's runtime wrapped, unwrapped. */
export interface ContainerLine {
  /** Behind the last byte of the program's line in the output, without its line end. */
  readonly end: number;
  /** Whether the program's line ends here: runtimes cut lines at 16 KiB. */
  readonly isWhole: boolean;
  readonly stream: "stdout" | "stderr";
  /** RFC 3339. */
  readonly time: string;
}

/** bytes[from…to): a line without its LF, or a part of it. */
export interface Bytes {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** How a runtime wraps lines. */
export interface Wrapping {
  /** Whether the line may be wrapped so. Costs next to nothing. */
  mayBe(line: Bytes): boolean;
  /**
   * Writes the program's line to `out` at `at`; it is shorter than the wrapped one. Null when the bytes are not exactly a wrapped line, or when
   * the program's line has a line end within it: then it would be two lines.
   */
  read(line: Bytes, out: Uint8Array, at: number): ContainerLine | null;
}
