import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { isCurveKey, newCurveKeys, publicKeyOf, readPublicKey, readSecretKey } from "./curve-keys.ts";
import { decodeZ85, encodeZ85 } from "./z85.ts";

describe("Z85", () => {
  it("encodes the example of RFC 32", () => {
    expect(encodeZ85(Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b))).toBe("HelloWorld");
  });

  it("decodes to the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (some) => {
        const bytes = some.subarray(0, some.length - (some.length % 4));
        expect([...(decodeZ85(encodeZ85(bytes)) ?? [])]).toEqual([...bytes]);
      }),
    );
  });

  it.each(["1234", "12 45", '"""""', "%nSc1", "#####"])("%s is none", (text) => {
    expect(decodeZ85(text)).toBeNull();
  });
});

describe("keys of CURVE", () => {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-keys-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode });
    return path;
  };

  it("match, as in the manual of libzmq", () => {
    // zmq_curve_public(3)'s and RFC 26's test pairs of the manual page zmq_curve(7).
    expect(publicKeyOf("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")).toBe(
      "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    );
    expect(publicKeyOf("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")).toBe(
      "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    );
    const { publicKey, secretKey } = newCurveKeys();
    expect(isCurveKey(publicKey) && isCurveKey(secretKey) && publicKeyOf(secretKey) === publicKey).toBe(true);
  });

  it("are read as text or from a file, a secret key only from a file that other users cannot read", () => {
    const { publicKey, secretKey } = newCurveKeys();
    expect(readPublicKey(publicKey)).toBe(publicKey);
    expect(readPublicKey(file("a.pub", `${publicKey}\n`, 0o644))).toBe(publicKey);
    const path = file("a.key", `${secretKey}\n`);
    expect(readSecretKey(path)).toBe(secretKey);
    chmodSync(path, 0o640);
    expect(() => readSecretKey(path)).toThrow(`Cannot use ${path}: other users may read it`);
    expect(() => readSecretKey(file("b.key", "none"))).toThrow(
      "it does not contain a key of 40 characters in Z85",
    );
    expect(() => readPublicKey("/nowhere/x.pub")).toThrow(
      "Cannot read the key /nowhere/x.pub: no such file or directory",
    );
  });
});
