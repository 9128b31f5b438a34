import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertNever } from '@gantry/kernel/assert-never';
import type { Logger } from '@gantry/nest-platform/logger';
import type { SandboxEnd, SandboxSignal, SpoolerMessage, SpoolerRequest } from './spooler-messages.js';

export const spoolerProgram = fileURLToPath(new URL('./output-spooler.main.js', import.meta.url));

export interface SpoolerLinkOptions {
  readonly program: string;
  readonly limitBytes: number;
  readonly logger: Logger;
  /** `problem`: why the disk takes no output of this folder's sandbox; undefined = it does again. */
  readonly onDisk: (folder: string, problem: string | undefined) => void;
}

export interface RunningSandbox {
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Undefined: the spooler has died, and the sandbox with it. */
  readonly end: Promise<SandboxEnd | undefined>;
}

interface Spooler {
  readonly child: ChildProcess;
  /** Rejects if it ends before it listens. */
  readonly ready: Promise<void>;
  /** Its sandboxes, by folder. */
  readonly sandboxes: Map<string, Waiting>;
}

interface Waiting {
  readonly started: (running: { readonly pid: number; readonly at: number }) => void;
  readonly failed: (error: Error) => void;
  readonly ended: (end: SandboxEnd | undefined) => void;
}

/** The agent's side of its spooler: starts it, and another one when it has died. */
export class SpoolerLink {
  private spooler: Spooler | undefined;
  private closed = false;

  constructor(private readonly options: SpoolerLinkOptions) {
    this.running();
  }

  /** Its output is kept below `folder` from the first byte on. The folder must exist. */
  async start(folder: string, command: readonly string[]): Promise<RunningSandbox> {
    const spooler = this.running();
    await spooler.ready;
    return new Promise((resolve, failed) => {
      let ended: Waiting['ended'] = () => undefined;
      const end = new Promise<SandboxEnd | undefined>((settle) => (ended = settle));
      const started: Waiting['started'] = ({ pid, at }) => resolve({ pid, startedAt: at, end });
      spooler.sandboxes.set(folder, { started, failed, ended });
      send(spooler, { type: 'start', folder, command, limitBytes: this.options.limitBytes });
    });
  }

  /** To a sandbox that has ended, nothing. */
  signal(folder: string, signal: SandboxSignal): void {
    if (this.spooler !== undefined) send(this.spooler, { type: 'signal', folder, signal });
  }

  /** Ends all sandboxes; it stays until the last of what they have printed is kept. */
  close(): void {
    this.closed = true;
    if (this.spooler?.child.connected === true) this.spooler.child.disconnect();
  }

  private running(): Spooler {
    this.spooler ??= this.spawn();
    return this.spooler;
  }

  private spawn(): Spooler {
    const { program, logger } = this.options;
    const child = spawn(process.execPath, ['--max-old-space-size=32', '--max-semi-space-size=1', program], {
      // Of a session of its own: what ends the agent's terminal or process group passes it by.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
      cwd: '/',
    });
    const sandboxes = new Map<string, Waiting>();
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        const told = message as SpoolerMessage;
        if (told.type === 'ready') resolve();
        else this.hear(sandboxes, told);
      });
      const lost = (error: Error): void => {
        if (this.spooler?.child === child) this.spooler = undefined;
        reject(error);
        for (const { failed, ended } of sandboxes.values()) {
          failed(error);
          ended(undefined);
        }
        sandboxes.clear();
      };
      child.once('error', lost);
      child.once('exit', (code, signal) => {
        if (!this.closed) logger.error({ code, signal, program }, 'the spooler of sandboxes has ended');
        lost(
          new Error(`the process that starts sandboxes and keeps their output ended with ${signal ?? `code ${code}`}`),
        );
      });
    });
    // Whoever waits for it is told; nobody may be.
    ready.catch(() => undefined);
    // Whether it lives is no reason for the agent to stay.
    child.unref();
    child.channel?.unref();
    return { child, ready, sandboxes };
  }

  private hear(sandboxes: Map<string, Waiting>, told: Exclude<SpoolerMessage, { type: 'ready' }>): void {
    const sandbox = sandboxes.get(told.folder);
    switch (told.type) {
      case 'started':
        sandbox?.started(told);
        return;
      case 'failed':
        sandboxes.delete(told.folder);
        sandbox?.failed(new Error(told.problem));
        return;
      case 'ended':
        sandboxes.delete(told.folder);
        sandbox?.ended(told);
        return;
      case 'disk':
        this.options.onDisk(told.folder, told.problem);
        return;
      default:
        assertNever(told, 'message');
    }
  }
}

function send({ child }: Spooler, request: SpoolerRequest): void {
  // One that has died says so by its exit.
  if (child.connected) child.send(request, () => undefined);
}
