import { type CommandOptions, CommandSource } from "./command/command-source.ts";
import { type StdinOptions, StdinSource } from "./command/stdin-source.ts";
import { type FileOptions, FileSource } from "./file/file-source.ts";
import { type JournalOptions, JournalSource } from "./journal/journal-source.ts";
import { type KmsgOptions, KmsgSource } from "./kmsg/kmsg-source.ts";
import { type NflogOptions, NflogSource } from "./nflog/nflog-source.ts";
import type { OrderSource, PacketSource, Source, SourcePosition } from "./source.ts";
import { type SyslogOptions, SyslogSource } from "./syslog/syslog-source.ts";
import { type OrderSourceDeps, type ZmqOptions, ZmqSource } from "../bus/orders/zmq-source.ts";

export type { NflogOptions, ZmqOptions };
export type { CommandOptions, FileOptions, JournalOptions, KmsgOptions, StdinOptions, SyslogOptions };

/** What a source of the configuration says, told apart by `type`. */
export type SourceOptions = LineSourceOptions | NflogOptions | ZmqOptions;

export type LineSourceOptions =
  | FileOptions
  | SyslogOptions
  | JournalOptions
  | KmsgOptions
  | CommandOptions
  | StdinOptions;

/**
 * Makes a source; nothing is opened before it runs. `saved` is what its `position()` said before a restart. Throws a
 * StoplogError for options that no machine could honour.
 */
export function openSource(
  name: string,
  options: LineSourceOptions,
  saved: SourcePosition | null = null,
): Source {
  switch (options.type) {
    case "file":
      return new FileSource(name, options, saved);
    case "syslog":
      return new SyslogSource(name, options, saved);
    case "journal":
      return new JournalSource(name, options, saved);
    case "kmsg":
      return new KmsgSource(name, options, saved);
    case "command":
      return new CommandSource(name, options);
    case "stdin":
      return new StdinSource(name, options);
  }
}

/** The same for a source of packets. */
export function openPacketSource(name: string, options: NflogOptions): PacketSource {
  return new NflogSource(name, options);
}

/** The same for a source of orders that come as such, not as lines. */
export function openOrderSource(name: string, options: ZmqOptions, deps: OrderSourceDeps): OrderSource {
  return new ZmqSource(name, options, deps);
}
