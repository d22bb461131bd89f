/**
 * Lines that are nearly what a filter looks for, but go on and on: each sample with a piece of it, taken from many places and
 * of several lengths, repeated until the line is as long as it may be; with its end behind that, and without.
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
