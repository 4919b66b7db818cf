// The real engine, named by the variable STEADFAST: as a demo, or over standalone jobs of a small fake Flink.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const program = process.env.STEADFAST ?? '';

/** A process that ends with the test. */
export class Engine {
  readonly #child: ChildProcess;
  output = '';

  constructor(args: string[]) {
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (data: Buffer) => { this.output += data.toString(); });
  }

  /** Waits for a line, and gives what the first group has of it. */
  async says(pattern: RegExp): Promise<string> {
    for (let at = 0; at < 600; at += 1) {
      const found = pattern.exec(this.output);
      if (found) return found[1] ?? '';
      if (this.#child.exitCode !== null) break;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    throw new Error(`the engine did not say ${pattern}:\n${this.output}`);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => { this.#child.once('exit', resolve); });
    this.#child.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => { socket.listen(0, '127.0.0.1', resolve); });
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => { socket.close(resolve); });
  return port;
}

/** One Flink for each job, all behind one port: `/NAME/jobs/overview`. */
export class Flinks {
  readonly states = new Map<string, string>();
  #server: Server | undefined;
  port = 0;

  async start(): Promise<this> {
    const begun = Date.now() - 3_600_000;
    const server = createServer((request, response) => {
      const [, name = '', ...rest] = (request.url ?? '').split('/');
      const state = this.states.get(name);
      const path = rest.join('/').split('?')[0];
      const id = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
      response.setHeader('content-type', 'application/json');
      const ended = state === 'RUNNING' ? -1 : Date.now();
      if (state !== undefined && path === 'jobs/overview') {
        response.end(JSON.stringify({ jobs: [{ jid: id, name, state, 'start-time': begun, 'end-time': ended, duration: 1, 'last-modification': begun, tasks: { total: 2, created: 0, scheduled: 0, deploying: 0, running: 2, finished: 0, canceling: 0, canceled: 0, failed: 0, reconciling: 0, initializing: 0 } }] }));
      } else {
        response.statusCode = 404;
        response.end(JSON.stringify({ errors: ['Not found.'] }));
      }
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => { server?.close(resolve); });
  }
}

/** An engine over standalone jobs, which can be killed and begun again over the same store. */
export class Watched {
  readonly flinks = new Flinks();
  #folder = '';
  #port = 0;
  #engine: Engine | undefined;

  get address(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(names: string[]): Promise<this> {
    await this.flinks.start();
    for (const name of names) this.flinks.states.set(name, 'RUNNING');
    this.#folder = await mkdtemp(join(tmpdir(), 'steadfast-dashboard-'));
    this.#port = await freePort();
    const jobs = names.map((name) => `[[job]]\nname = "${name}"\nmode = "standalone"\nflink_rest = "http://127.0.0.1:${this.flinks.port}/${name}"\n`);
    await writeFile(join(this.#folder, 'config.toml'), `[server]\nlisten = "127.0.0.1:${this.#port}"\n[store]\nurl = "sqlite://steadfast.db"\n[timing]\npoll = "1s"\ntimeout = "500ms"\n${jobs.join('')}[[policy]]\nname = "default"\nmodule = "builtin:conservative"\nparams = { alert_after = "1s" }\n`);
    await this.again();
    return this;
  }

  async again(): Promise<void> {
    this.#engine = new Engine(['run', '--config', join(this.#folder, 'config.toml')]);
    for (let at = 0; at < 300; at += 1) {
      const answer = await fetch(`${this.address}livez`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    throw new Error(`the engine does not answer:\n${this.#engine.output}`);
  }

  async kill(): Promise<void> {
    await this.#engine?.kill();
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.flinks.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
