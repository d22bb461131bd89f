/** A command line that runs this program again, with the launcher's flags. */
export function thisProgram(...args: readonly string[]): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? "", ...args];
}
