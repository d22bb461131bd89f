import type { Random } from "../random.ts";
import type { Stamp } from "../stamp.ts";
import { guest, port, type Service } from "./service.ts";

/** The kernel's log, with packets of an iptables LOG rule. */
export const kernel: Service = {
  filter: "kernel-syn",
  failure(stamp, address, random) {
    const v6 = address.includes(":");
    const where = `IN=eth0 OUT= MAC=b8:27:eb:00:00:01:00:00:5e:00:53:01:${v6 ? "86:dd" : "08:00"}`;
    const length = v6
      ? `LEN=80 TC=0 HOPLIMIT=52 FLOWLBL=${random.below(1_000_000)}`
      : `LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=${random.below(65_536)} DF`;
    const packet = `SRC=${v6 ? inFull(address) : address} DST=${v6 ? "2001:0db8:0000:0000:0000:0000:0000:0009" : "192.0.2.9"} ${length} PROTO=TCP`;
    return `${head(stamp, random)}SYNFLOOD: ${where} ${packet} SPT=${port(random)} DPT=${random.pick(DOORS)} WINDOW=64240 RES=0x00 SYN URGP=0 `;
  },
  noise(stamp, random) {
    const start = head(stamp, random);
    switch (random.below(4)) {
      case 0:
        // A datagram logged by another rule: nearly a failure, but not a SYN.
        return `${start}UDPDROP: IN=eth0 OUT= MAC=b8:27:eb:00:00:01:00:00:5e:00:53:01:08:00 SRC=${guest(random)} DST=192.0.2.9 LEN=48 TOS=0x00 PREC=0x00 TTL=114 ID=${random.below(65_536)} PROTO=UDP SPT=${port(random)} DPT=53 LEN=28 `;
      case 1:
        return `${start}usb 1-1.${random.below(4)}: new high-speed USB device number ${random.below(100)} using xhci_hcd`;
      case 2:
        return `${start}brcmfmac: brcmf_cfg80211_set_power_mgmt: power save enabled`;
      default:
        return `${start}EXT4-fs (mmcblk0p2): re-mounted. Quota mode: none. Opts: (null), commit=${random.below(600)}`;
    }
  },
};

const DOORS = [22, 80, 443, 3389, 8080];

function head(stamp: Stamp, random: Random): string {
  return `${stamp.syslog} pi kernel: [${stamp.second % 1_000_000}.${String(random.below(1_000_000)).padStart(6, "0")}] `;
}

/** The kernel writes all eight groups with leading zeros. */
function inFull(address: string): string {
  const [left = "", right = ""] = address.split("::");
  const [before, after] = [left.split(":"), right.split(":")];
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(":");
}
