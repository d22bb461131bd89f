/**
 * Encodes the part of WebAssembly's binary format that one small function needs (https://webassembly.github.io/spec/core/binary/).
 * V8 compiles the bytes at run time, so the package contains no binary and needs no compiler.
 */
export interface WasmFunction {
  /** The number of parameters. They and the one result are 32-bit integers. */
  readonly params: number;
  readonly body: Code;
  /** Size of its memory, in pages of 64 KiB. */
  readonly pages: number;
}

/** Instructions, encoded. */
export type Code = readonly number[];

export const PAGE_BYTES = 1 << 16;

/** Node's WebAssembly, which @types/node does not describe; undefined under `node --jitless`. */
export const machine = (globalThis as unknown as { readonly WebAssembly: Machine }).WebAssembly;

interface Machine {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** A module that imports `env.memory` and exports `run`. */
export function encodeModule({ params, body, pages }: WasmFunction): Uint8Array<ArrayBuffer> {
  const code = [NO_LOCALS, ...body, END];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(TYPES, [1, FUNCTION_TYPE, params, ...Array<number>(params).fill(I32), 1, I32]),
    ...section(IMPORTS, [
      1,
      ...name("env"),
      ...name("memory"),
      MEMORY,
      HAS_MAXIMUM,
      ...unsigned(pages),
      ...unsigned(pages),
    ]),
    ...section(FUNCTIONS, [1, 0]),
    ...section(EXPORTS, [1, ...name("run"), FUNCTION, 0]),
    ...section(CODES, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** Instructions in sequence. */
export const inOrder = (...parts: readonly Code[]): Code => parts.flat();
export const getLocal = (local: number): Code => [0x20, local];
export const setLocal = (local: number): Code => [0x21, local];
export const constant = (value: number): Code => [0x41, ...signed(value)];
export const add: Code = [0x6a];
export const multiply: Code = [0x6c];
export const or: Code = [0x72];
export const shiftRight: Code = [0x76];
export const isAtLeast: Code = [0x4f];
/** Loads and stores take their address from the stack and add `offset`. Alignment does not matter. */
export const load32 = (offset: number): Code => [0x28, 0, ...unsigned(offset)];
export const load8 = (offset: number): Code => [0x2d, 0, ...unsigned(offset)];
export const store32 = (offset: number): Code => [0x36, 0, ...unsigned(offset)];
/** Pops a number and runs `body` unless it is 0. */
export const when = (body: Code): Code => [0x04, NO_RESULT, ...body, END];

/** Repeats `body` until `isDone` leaves a number other than 0. */
export function repeatUntil(isDone: Code, body: Code): Code {
  const [block, loop, branch, branchIf] = [0x02, 0x03, 0x0c, 0x0d];
  return [block, NO_RESULT, loop, NO_RESULT, ...isDone, branchIf, 1, ...body, branch, 0, END, END];
}

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPES = 1;
const IMPORTS = 2;
const FUNCTIONS = 3;
const EXPORTS = 7;
const CODES = 10;
const FUNCTION = 0;
const MEMORY = 2;
const HAS_MAXIMUM = 1;
const FUNCTION_TYPE = 0x60;
const I32 = 0x7f;
const NO_LOCALS = 0;
const NO_RESULT = 0x40;
const END = 0x0b;

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128: seven bits per byte, lowest first; the eighth bit is set on all but the last byte. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
