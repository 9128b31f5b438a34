import { ManagedProcess } from './managed-process.mjs';

const STOP_GRACE_MS = 3_000;
/** A service finishes what it has in hand within 8 s; nothing is in a hurry here. */
const RESTART_GRACE_MS = 10_000;

/** Starts the parts in groups, ends them the other way round, restarts the services one after the other. */
export class Supervisor {
  /** Groups in the order of starting; ended the other way round. @type {ManagedProcess[][]} */
  #groups = [];
  /** @type {{ email: string, password: string } | undefined} */
  firstLogIn;
  #ending = false;
  /** @type {Promise<void> | undefined} */
  #restarting;

  /** @param {import('./console-output.mjs').ConsoleOutput} output */
  constructor(output) {
    this.output = output;
    output.onMessage = (_, message) => {
      if (
        typeof message === 'object' &&
        message !== null &&
        /** @type {{type?: string}} */ (message).type === 'first-log-in'
      ) {
        this.firstLogIn = /** @type {{ email: string, password: string }} */ (message);
      }
    };
  }

  /** @param {import('./managed-process.mjs').ProcessDefinition[]} definitions */
  async start(definitions) {
    const group = definitions.map((definition) => new ManagedProcess(definition, this.output));
    this.#groups.push(group);
    await Promise.all(
      group.map(async (part) => {
        const startedAt = Date.now();
        await part.start();
        this.output.notice(part.definition.name, `ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
      }),
    );
  }

  /**
   * Every service process once: asked to stop, started again, ready, and only then the next one. With two of each the
   * others do the work meanwhile. What runs on workers is not touched.
   */
  restartServices() {
    this.#restarting ??= this.#restartAll().finally(() => {
      this.#restarting = undefined;
    });
  }

  async #restartAll() {
    const startedAt = Date.now();
    const services = this.#groups.flat().filter(({ definition }) => definition.rolling === true);
    try {
      for (const part of services) {
        if (this.#ending) return;
        await part.restart(RESTART_GRACE_MS);
      }
      this.output.notice('restart', `all services restarted in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    } catch (error) {
      if (!this.#ending)
        this.output.notice('restart', `stopped half-way: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async stop() {
    this.#ending = true;
    for (const group of this.#groups.reverse()) await Promise.all(group.map((part) => part.stop(STOP_GRACE_MS)));
    this.#groups = [];
  }

  killAll() {
    for (const group of this.#groups) for (const part of group) part.kill();
  }
}
