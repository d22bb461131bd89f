import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";

export interface KmsgOptions extends SourceOptions {
  readonly type: "kmsg";
  /** DEVICE unless set. */
  readonly path?: string | undefined;
}

export const DEVICE = "/dev/kmsg";

/** The kernel's log. */
export const kmsg: SourceKind<KmsgOptions> = {
  name: "kmsg",
  summary: "The kernel's log, read from /dev/kmsg without a syslog daemon.",
  description: "The kernel's messages.",
  gives: "lines",
  takes: ["max_line"],
  options: sourceKeys(
    (v) => ({
      path: v
        .path()
        .default(DEVICE)
        .meta({ description: "The device.", examples: [DEVICE] }),
    }),
    ({ path }): KmsgOptions => ({ type: "kmsg", path }),
  ),
  // CAP_SYSLOG and the device itself.
  needs: () => ({ native: "always", root: true, unit: READS_KERNEL_LOG }),
  open: async (name, options, saved) =>
    new (await import("./kmsg-source.ts")).KmsgSource(name, options, saved),
};

const READS_KERNEL_LOG = [
  "AmbientCapabilities=CAP_SYSLOG",
  "CapabilityBoundingSet=CAP_SYSLOG",
  "PrivateDevices=no",
  "ProtectKernelLogs=no",
  "DeviceAllow=/dev/kmsg r",
];
