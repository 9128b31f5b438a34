import { createServer, type Server, type Socket } from 'node:net';
import { AttemptSpool } from './attempt-spool.js';
import type { SpoolerMessage, SpoolRequest } from './spooler-messages.js';

const LINE_FEED = 0x0a;
const LONGEST_REQUEST_BYTES = 16 * 1024;

/** Takes the output of an agent's sandboxes, each stream on a connection of its own, and outlives the agent for as long as one is open. */
export class OutputSpooler {
  private readonly server: Server;
  private readonly spools = new Map<string, AttemptSpool>();
  private readonly open = new Set<Socket>();
  private agentGone = false;

  constructor(
    private readonly tell: (message: SpoolerMessage) => void,
    private readonly onDone: () => void,
  ) {
    this.server = createServer((socket) => this.accept(socket));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(path, resolve);
    });
  }

  /** The agent is dead: its sandboxes die with it, and what they have written is still to be kept. */
  leave(): void {
    if (this.agentGone) return;
    this.agentGone = true;
    this.server.close();
    for (const spool of this.spools.values()) spool.limited = false;
    this.doneIfOver();
  }

  private accept(socket: Socket): void {
    this.open.add(socket);
    // A connection that breaks is one that ends.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.open.delete(socket);
      this.doneIfOver();
    });
    let head: Buffer = Buffer.alloc(0);
    const read = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      if (head.at(-1) === LINE_FEED) {
        socket.off('data', read);
        this.attach(socket, head);
      } else if (head.length > LONGEST_REQUEST_BYTES) socket.destroy();
    };
    socket.on('data', read);
  }

  /** The agent sends nothing more until it is answered. */
  private attach(socket: Socket, head: Buffer): void {
    try {
      const { folder, stream, limitBytes } = JSON.parse(head.toString('utf8')) as SpoolRequest;
      this.spoolOf(folder, limitBytes).attach(stream, socket);
      socket.write('\n');
    } catch {
      socket.destroy();
    }
  }

  private spoolOf(folder: string, limitBytes: number): AttemptSpool {
    const known = this.spools.get(folder);
    if (known !== undefined) return known;
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
    return spool;
  }

  private doneIfOver(): void {
    if (this.agentGone && this.open.size === 0 && [...this.spools.values()].every(({ isIdle }) => isIdle))
      this.onDone();
  }
}
