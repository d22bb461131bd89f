import { describe, expect, it } from "vitest";
import { END as END_BYTES, Fail2banFrames } from "./frame-reader.ts";

const END = END_BYTES.toString();

describe("Fail2banFrames", () => {
  const read = (frames: Fail2banFrames, text: string): readonly string[] | null =>
    frames.push(Buffer.from(text))?.map(String) ?? null;

  it("cuts messages, however the bytes come", () => {
    const text = `one${END}${END}<F2B_END_COMMANDtwo${END}thr`;
    for (const size of [1, 2, 7, 16, 17, 100]) {
      const frames = new Fail2banFrames();
      const messages: (string | undefined)[] = [];
      for (let at = 0; at < text.length; at += size)
        messages.push(...(read(frames, text.slice(at, at + size)) ?? []));
      expect(messages, `${size} bytes each`).toEqual(["one", "", "<F2B_END_COMMANDtwo"]);
      expect(frames.isPartial).toBe(true);
      expect(read(frames, `ee${END}`)).toEqual(["three"]);
      expect(frames.isPartial).toBe(false);
    }
  });

  it("takes a message as long as its bound, and refuses a longer one", () => {
    expect(read(new Fail2banFrames(5), `12345${END}1${END}`)).toEqual(["12345", "1"]);
    expect(read(new Fail2banFrames(5), `123456${END}`)).toBe(null);
    expect(read(new Fail2banFrames(5), `1${END}123456${END}`)).toBe(null);
    const frames = new Fail2banFrames(5);
    expect(read(frames, "12345<F2B_END_COMMAND")).toEqual([]);
    expect(read(frames, ">")).toEqual(["12345"]);
    expect(read(frames, "x".repeat(23))).toBe(null);
  });
});
