import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Image } from "./image.ts";
import type { Machine } from "./machines.ts";

/** One line of the guest: see guest/answers.sh. */
export interface Answer {
  readonly kind: string;
  readonly name: string;
  readonly detail: string;
}

export interface Boot {
  readonly machine: Machine;
  readonly image: Image;
  /** A tar archive: what the guest runs. */
  readonly trial: string;
  /** Gets the console, which tells why a guest does not answer. */
  readonly consoleLog: string;
  readonly minutes: number;
}

/** Boots a guest and gives its answers to `hear`, until it turns itself off. Resolves with an error, or with null. */
export function runGuest(boot: Boot, hear: (answer: Answer) => void): Promise<string | null> {
  const [program = "", ...args] = command(boot);
  // The standard input stays open: at its end the guest could not answer any more.
  const guest = spawn(program, args, { stdio: "pipe" });
  let [complaint, ended] = ["", false];
  const bound = setTimeout(() => {
    complaint = `not done after ${boot.minutes} minutes`;
    guest.kill("SIGKILL");
  }, boot.minutes * 60_000);
  const stop = () => guest.kill("SIGKILL");
  process.once("exit", stop);
  guest.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  createInterface({ input: guest.stdout }).on("line", (line) => {
    const [kind = "", name = "", detail = ""] = line.split("\t");
    if (kind === "end") ended = true;
    else hear({ kind, name, detail });
  });
  return new Promise((resolve) => {
    guest.on("error", (error) => (complaint = error.message));
    guest.on("close", () => {
      clearTimeout(bound);
      process.off("exit", stop);
      resolve(ended ? null : `the guest ended early: ${complaint.trim() || `see ${boot.consoleLog}`}`);
    });
  });
}

function command({ machine, image, trial, consoleLog }: Boot): readonly string[] {
  // Emulated on a busy machine, a start can take longer than the 90 s that systemd grants.
  const patience = "systemd.default_timeout_start_sec=900";
  const parameters = `root=LABEL=root rw console=${machine.console} ${patience} ${machine.parameters}`;
  return [
    ...words(machine.qemu),
    ...words("-m 512 -smp 2 -nic none -display none -monitor none"),
    "-kernel",
    image.kernel,
    "-initrd",
    image.initrd,
    "-append",
    parameters,
    "-serial",
    `file:${consoleLog}`,
    ...disk(image.disk, "root"),
    ...disk(trial, "trial"),
    // Answers come on the standard output.
    ...words("-device virtio-serial-pci -chardev stdio,id=answers"),
    ...words("-device virtserialport,chardev=answers,name=trial"),
    // Writes to the disks go to a temporary file, which outlives a reboot of the guest.
    "-snapshot",
  ];
}

function disk(file: string, id: string): readonly string[] {
  return [
    "-drive",
    `file=${file},format=raw,if=none,id=${id}`,
    "-device",
    `virtio-blk-pci,drive=${id},serial=${id}`,
  ];
}

function words(text: string): readonly string[] {
  return text.split(" ");
}
