/** The command line that runs this same program again: installed, from a checkout, with the flags of its launcher. */
export function thisProgram(...args: readonly string[]): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? "", ...args];
}
