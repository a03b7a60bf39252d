// The demo's server as the end-to-end tests run it: on a free port, always stopped again.
//
// PRESENCE_SERVER_CMD names another command (it gets HOST, PORT and LIMITS in its environment and
// prints its address on a line of its own); PRESENCE_BUILD another build folder than build/.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const startWithinMs = 20_000;
const stopWithinMs = 15_000;

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function luaPaths() {
  const build = resolve(root, process.env.PRESENCE_BUILD || process.env.BUILD || "build");
  const sources = `${root}lua/?.lua;${root}lua/?/init.lua;;`;
  return {
    LUA_PATH: sources,
    LUA_PATH_5_4: sources,
    LUA_CPATH: `${build}/lib/lua/5.1/?.so;;`,
    LUA_CPATH_5_4: `${build}/lib/lua/5.4/?.so;;`,
  };
}

export class Server {
  /** @param {{limits?: "off"|"on", command?: string}} [options] command: another server than the demo's */
  static async start({ limits = "on", command } = {}) {
    const server = new Server(await freePort(), limits, command);
    await server.start();
    return server;
  }

  constructor(port, limits, command) {
    this.port = port;
    this.command = command;
    this.limits = limits;
    this.output = "";
    this.child = null;
  }

  get socketUrl() {
    return `ws://127.0.0.1:${this.port}/socket`;
  }

  /** CPU time the server's process has used, in milliseconds (Linux's 10 ms ticks). */
  cpuMs() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, "latin1").replace(/^.*\) /, "").split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  }

  /** Starts, or starts again on the same port; resolves when connections are accepted. */
  async start() {
    const command = this.command || process.env.PRESENCE_SERVER_CMD || "lua5.4 examples/chat/main.lua";
    const environment = { ...process.env, ...luaPaths(), HOST: "127.0.0.1", PORT: String(this.port) };
    delete environment.LIMITS;
    if (this.limits === "off") environment.LIMITS = "off";
    const child = spawn("sh", ["-c", `exec ${command}`], {
      cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    this.output = "";
    running.add(child);
    child.once("exit", () => running.delete(child));
    const printed = new Promise((accept, refuse) => {
      const hear = (chunk) => {
        this.output += chunk;
        const address = /^(https?:\/\/\S+)$/m.exec(this.output);
        if (address) accept(address[1]);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("error", refuse);
      child.once("exit", (code, signal) =>
        refuse(new Error(`the server ended (${signal ?? code}) before it listened:\n${this.output}`)));
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), startWithinMs);
    try {
      this.url = await printed;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Stops gracefully and tells how it ended; one that does not stop is killed, and that is an error.
   * @returns {Promise<{code: number|null, signal: string|null, ms: number}|null>} null: not running
   */
  async stop(signal = "SIGTERM") {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const started = performance.now();
    const exited = once(child, "exit");
    child.kill(signal);
    let isKilled = false;
    const timer = setTimeout(() => {
      isKilled = true;
      child.kill("SIGKILL");
    }, stopWithinMs);
    const [code, endSignal] = await exited;
    clearTimeout(timer);
    if (isKilled) throw new Error(`the server did not stop within ${stopWithinMs} ms:\n${this.output}`);
    return { code, signal: endSignal, ms: Math.round(performance.now() - started) };
  }

  async restart() {
    await this.stop();
    await this.start();
  }
}
