// Runs Ganache for the process that started this one. Options come as one line of JSON on standard
// input, not as arguments, which everybody on the machine can read; when that input ends, however the
// parent ended, Ganache closes its database and goes.
"use strict";

const lines = require("readline").createInterface({ input: process.stdin });
// Standard output is for the one line that the parent waits for.
console.log = console.error;
let server;

async function stop() {
  if (server) await server.close().catch(() => {});
  process.exit(0);
}

lines.once("line", async (line) => {
  const { module: path, port, options } = JSON.parse(line);
  try {
    server = require(path).server(options);
    await server.listen(port, "127.0.0.1");
    process.stdout.write("ready\n");
  } catch (error) {
    process.stdout.write(`failed: ${error.message}\n`);
    process.exit(1);
  }
});
lines.once("close", stop);
process.once("SIGTERM", stop);
// Ctrl-C reaches the whole group; the parent decides when its chain goes.
process.on("SIGINT", () => {});
