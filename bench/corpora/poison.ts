/**
 * Long lines that nearly match a filter: each sample with a piece of it, taken from many positions and
 * of several lengths, repeated up to the maximum length of a line; with and without the rest of the sample at the end.
 */
export function poisonedLines(samples: readonly string[], lineBytes: number): readonly string[] {
  return samples.flatMap((sample) =>
    places(sample.length).flatMap((at) =>
      PIECES.flatMap((length) => {
        const piece = sample.slice(at, at + length);
        if (piece.length < length) return [];
        const room = lineBytes - sample.length;
        const filled = piece.repeat(Math.max(0, Math.floor(room / length)));
        const head = sample.slice(0, at) + filled;
        return [head + sample.slice(at), head.padEnd(lineBytes, piece.charAt(0))];
      }),
    ),
  );
}

const PIECES = [1, 2, 5, 13, 40];
const MOST_PLACES = 24;

function places(length: number): number[] {
  const step = Math.max(1, Math.ceil(length / MOST_PLACES));
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
}
