import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { commandPids } from '../command-pids.js';
import type { SandboxEnd, SandboxSignal } from './spooler-messages.js';

export interface StartedSandbox {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/**
 * The sandboxes that run, as children of this process. Starting one costs what its parent weighs, because the system copies the
 * parent's page tables first: here that is a quarter of what it is in an agent.
 */
export class SandboxProcesses {
  private readonly running = new Map<string, ChildProcess>();

  /** Rejects with what the system says if it cannot be started. `onEnd` comes once it has. */
  async start(
    folder: string,
    [file = '', ...args]: readonly string[],
    onEnd: (end: SandboxEnd) => void,
  ): Promise<StartedSandbox> {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    });
    const { pid, stdout, stderr } = child;
    if (pid === undefined) return new Promise<never>((_, reject) => child.once('error', reject));
    this.running.set(folder, child);
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => {
      this.running.delete(folder);
      onEnd({ code, signal, at: Date.now() });
    });
    return { pid, stdout, stderr };
  }

  async signal(folder: string, signal: SandboxSignal): Promise<void> {
    const child = this.running.get(folder);
    if (child?.pid === undefined) return;
    if (signal === 'SIGKILL') {
      // The sandbox's process namespace dies with its parent.
      child.kill('SIGKILL');
      return;
    }
    for (const pid of await commandPids(child.pid)) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  killAll(): void {
    for (const child of this.running.values()) child.kill('SIGKILL');
  }
}
