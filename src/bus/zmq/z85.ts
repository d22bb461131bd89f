/** Encodes bytes by RFC 32: four bytes as five characters. Throws RangeError unless the length is a multiple of four. */
export function encodeZ85(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0)
    throw new RangeError(`Cannot encode ${bytes.length} bytes: not a multiple of 4`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4) {
    let word = view.getUint32(i);
    let five = "";
    for (let k = 0; k < 5; k++) {
      five = ALPHABET.charAt(word % 85) + five;
      word = Math.floor(word / 85);
    }
    text += five;
  }
  return text;
}

/** Decodes a text; null if it is not Z85. */
export function decodeZ85(text: string): Uint8Array | null {
  if (text.length % 5 !== 0) return null;
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i += 5) {
    let word = 0;
    for (let k = 0; k < 5; k++) {
      const digit = ALPHABET.indexOf(text.charAt(i + k));
      if (digit < 0) return null;
      word = word * 85 + digit;
    }
    if (word > 0xffff_ffff) return null;
    view.setUint32((i / 5) * 4, word);
  }
  return bytes;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
