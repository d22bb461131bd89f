// The entry point. Checks the version of Node before it imports anything that needs it.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const [command, ...args] = process.argv.slice(2);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `stoplog: Node.js ${process.versions.node} is too old; install version 20.19 or later.\n`,
  );
  process.exitCode = 2;
} else if (command === "read-config") {
  const { answerReading } = await import("./commands/read-config.ts");
  await answerReading(process.stdin, process.stdout);
} else if (command === "precompile") {
  const { precompileLibrary } = await import("../config/precompile.ts");
  process.stdout.write(precompileLibrary());
} else {
  const status = command === "run" ? await (await import("./start-daemon.ts")).startDaemon(args) : null;
  process.exitCode = status ?? (await other());
}

async function other(): Promise<number> {
  const { runCli } = await import("./program.ts");
  return runCli(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    isTTY: process.stdout.isTTY === true,
  });
}

export {};
