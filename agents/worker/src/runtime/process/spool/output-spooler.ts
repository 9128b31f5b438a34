import type { Readable } from 'node:stream';
import type { FrameStream } from '../../../domain/logs/log-frame.parser.js';
import { AttemptSpool } from './attempt-spool.js';
import type { SpoolerMessage } from './spooler-messages.js';

/** Keeps the output of an agent's sandboxes, and outlives the agent for as long as one of their streams is open. */
export class OutputSpooler {
  private readonly spools = new Map<string, AttemptSpool>();
  private agentGone = false;

  constructor(
    private readonly tell: (message: SpoolerMessage) => void,
    private readonly onDone: () => void,
  ) {}

  /** Throws if the folder cannot be written. */
  open(folder: string, limitBytes: number): void {
    const spool = new AttemptSpool({
      folder,
      limitBytes,
      tell: (problem) => this.tell({ type: 'disk', folder, ...(problem === undefined ? {} : { problem }) }),
      onIdle: (over) => {
        if (over) this.spools.delete(folder);
        this.doneIfOver();
      },
    });
    spool.limited = !this.agentGone;
    this.spools.set(folder, spool);
  }

  keep(folder: string, stream: FrameStream, output: Readable): void {
    this.spools.get(folder)?.attach(stream, output);
  }

  /** Nothing will ever be written there. */
  cancel(folder: string): void {
    this.spools.get(folder)?.close();
    this.spools.delete(folder);
    this.doneIfOver();
  }

  /** The agent is dead: its sandboxes die with it, and what they have written is still to be kept. */
  leave(): void {
    if (this.agentGone) return;
    this.agentGone = true;
    for (const spool of this.spools.values()) spool.limited = false;
    this.doneIfOver();
  }

  private doneIfOver(): void {
    if (this.agentGone && [...this.spools.values()].every(({ isIdle }) => isIdle)) this.onDone();
  }
}
