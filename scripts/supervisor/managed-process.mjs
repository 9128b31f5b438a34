import { spawn } from 'node:child_process';

const STABLE_AFTER_MS = 30_000;
const LONGEST_PAUSE_MS = 10_000;
const CHECK_EVERY_MS = 5_000;
const RETRY_MS = 500;
const SILENT_CHECKS = 3;

/**
 * @typedef {object} ProcessDefinition
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {string} [cwd]
 * @property {boolean} [ipc] a Node child that says `{type:'ready'}` and obeys `{type:'stop'}`
 * @property {() => Promise<boolean>} [probe] for other programs: true once it serves
 * @property {() => Promise<boolean>} [answers] asked again and again once it serves: a program that is silent three times in a row is killed and started again
 * @property {number} [checkEveryMs] between two such questions
 * @property {number} [readyTimeoutMs]
 * @property {number} [startTries] how often it is started at first if it ends before it is ready; 1 if not said
 * @property {NodeJS.Signals} [stopSignal]
 * @property {boolean} [rolling] may be restarted while the rest goes on
 * @property {() => Promise<void>} [cleanup] after it was stopped
 */

/** One child process: started, watched until ready, started again when it dies, ended on request. */
export class ManagedProcess {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** Told to end, by a restart too: its exit is no surprise. */
  #stopping = false;
  #ended = false;
  #failures = 0;
  #startedAt = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #restartTimer;
  /** @type {NodeJS.Timeout | undefined} */
  #checkTimer;
  /** @type {Promise<void> | undefined} */
  #exited;

  /**
   * @param {ProcessDefinition} definition
   * @param {{ line(name: string, text: string): void, notice(name: string, text: string): void, message(name: string, message: unknown): void }} output
   */
  constructor(definition, output) {
    this.definition = definition;
    this.output = output;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts it and waits until it is ready; rejects when it dies (so often as is allowed) or stays silent before that. */
  async start() {
    for (let left = (this.definition.startTries ?? 1) - 1; ; left -= 1) {
      try {
        return await this.#startOnce();
      } catch (error) {
        const { exitCode = null, signalCode = null } = this.#child ?? {};
        if (left <= 0 || this.#stopping || (exitCode === null && signalCode === null)) throw error;
        clearTimeout(this.#restartTimer);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #startOnce() {
    const { name, readyTimeoutMs = 60_000 } = this.definition;
    const child = this.#spawn();
    let timer;
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${name} was not ready within ${readyTimeoutMs / 1000} s; its messages are above.`)),
        readyTimeoutMs,
      );
    });
    const died = new Promise((_, reject) => {
      child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
      child.once('exit', (code, signal) =>
        reject(
          new Error(`${name} ended with ${signal ?? `code ${code}`} before it was ready; its messages are above.`),
        ),
      );
    });
    died.catch(() => undefined);
    try {
      await Promise.race([this.#ready(child), died, timeout]);
      this.#check(child, 0);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {number} graceMs how long it may take before SIGKILL */
  async stop(graceMs) {
    this.#ended = true;
    await this.#end(graceMs);
  }

  /** Stops it, starts it again and waits until it is ready; only stops it when the end came meanwhile. @param {number} graceMs */
  async restart(graceMs) {
    await this.#end(graceMs);
    if (this.#ended) return;
    this.#stopping = false;
    this.#failures = 0;
    await this.start();
  }

  /** Ends it at once, without a word. */
  kill() {
    this.#ended = true;
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#checkTimer);
    this.#child?.kill('SIGKILL');
  }

  /** @param {number} graceMs */
  async #end(graceMs) {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#checkTimer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (child.connected) child.send({ type: 'stop' }, () => undefined);
    child.kill(this.definition.stopSignal ?? 'SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(killer);
    await this.definition.cleanup?.();
  }

  #spawn() {
    const { name, command, args, env, cwd, ipc = false } = this.definition;
    this.#startedAt = Date.now();
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor only, which ends the parts in order.
    const child = spawn(command, args, {
      cwd,
      env,
      detached: true,
      stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#pipeLines(child.stdout);
    this.#pipeLines(child.stderr);
    if (ipc) child.on('message', (message) => this.output.message(name, message));
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    child.once('exit', (code, signal) => this.#onExit(code, signal));
    return child;
  }

  /** @param {import('node:child_process').ChildProcess} child */
  async #ready(child) {
    const { ipc = false, probe } = this.definition;
    if (ipc && probe === undefined) {
      await new Promise((resolve) => {
        child.on('message', (message) => {
          if (
            typeof message === 'object' &&
            message !== null &&
            /** @type {{type?: string}} */ (message).type === 'ready'
          )
            resolve(undefined);
        });
      });
      return;
    }
    while (probe !== undefined && !(await probe().catch(() => false)))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** @param {import('node:child_process').ChildProcess} child @param {number} silent checks without an answer so far */
  #check(child, silent) {
    const { name, answers, checkEveryMs = CHECK_EVERY_MS } = this.definition;
    if (answers === undefined || this.#stopping || child !== this.#child) return;
    this.#checkTimer = setTimeout(async () => {
      const missed = (await answers().catch(() => false)) ? 0 : silent + 1;
      if (missed < SILENT_CHECKS) return this.#check(child, missed);
      if (this.#stopping || child !== this.#child) return;
      this.output.notice(name, 'does not answer any more, though it runs; ending it');
      child.kill('SIGKILL');
    }, checkEveryMs);
    this.#checkTimer.unref();
  }

  /** @param {number | null} code @param {NodeJS.Signals | null} signal */
  #onExit(code, signal) {
    if (this.#stopping) return;
    if (Date.now() - this.#startedAt > STABLE_AFTER_MS) this.#failures = 0;
    const pause = Math.min(500 * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.output.notice(
      this.definition.name,
      `ended with ${signal ?? `code ${code}`}; starting it again in ${pause / 1000} s`,
    );
    this.#restartTimer = setTimeout(() => {
      const child = this.#spawn();
      void this.#ready(child).then(() => {
        this.output.notice(this.definition.name, 'ready again');
        this.#check(child, 0);
      });
    }, pause);
  }

  /** @param {import('node:stream').Readable | null} stream */
  #pipeLines(stream) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.output.line(this.definition.name, line);
    });
    stream?.on('end', () => {
      if (rest.trim() !== '') this.output.line(this.definition.name, rest);
    });
  }
}
