import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@gantry/nest-platform/logger';
import type { FrameStream } from '../../../domain/logs/log-frame.parser.js';
import type { SpoolerMessage, SpoolRequest } from './spooler-messages.js';

export const spoolerProgram = fileURLToPath(new URL('./output-spooler.main.js', import.meta.url));

/** Only root's; and its name is short, because the name of a socket has at most 107 bytes. */
const RUN_FOLDER = '/run/gantry';

export interface SpoolerLinkOptions {
  readonly program: string;
  readonly limitBytes: number;
  readonly logger: Logger;
  /** `problem`: why the disk takes no output of this folder's sandbox; undefined = it does again. */
  readonly onDisk: (folder: string, problem: string | undefined) => void;
}

/** Both ends for a sandbox to write to; to be closed here once it has them. */
export type SandboxOutput = Readonly<Record<FrameStream, Socket>>;

interface Spooler {
  readonly child: ChildProcess;
  readonly path: string;
  /** Rejects if it ends before it listens. */
  readonly ready: Promise<void>;
}

/** The agent's side of its spooler: starts it, and another one when it has died. */
export class SpoolerLink {
  private spooler: Spooler | undefined;
  private spawned = 0;
  private closed = false;

  constructor(private readonly options: SpoolerLinkOptions) {
    this.running();
  }

  /** Output that is kept below `folder` from the first byte on. The folder must exist. */
  async open(folder: string): Promise<SandboxOutput> {
    const { path, ready } = this.running();
    await ready;
    const { limitBytes } = this.options;
    const request = { folder, limitBytes };
    const opening = [
      openStream(path, { ...request, stream: 'stdout' }),
      openStream(path, { ...request, stream: 'stderr' }),
    ] as const;
    try {
      const [stdout, stderr] = await Promise.all(opening);
      return { stdout, stderr };
    } catch (error) {
      for (const stream of opening) stream.then((socket) => socket.destroy()).catch(() => undefined);
      throw error;
    }
  }

  /** It stays until the last sandbox has closed its output. */
  close(): void {
    this.closed = true;
    if (this.spooler?.child.connected === true) this.spooler.child.disconnect();
  }

  private running(): Spooler {
    this.spooler ??= this.start();
    return this.spooler;
  }

  private start(): Spooler {
    const { program, logger, onDisk } = this.options;
    this.spawned += 1;
    const path = socketPath(`${program}\0${process.pid}\0${this.spawned}\0${performance.timeOrigin}`);
    const child = spawn(process.execPath, ['--max-old-space-size=32', '--max-semi-space-size=1', program, path], {
      // Of a session of its own: what ends the agent's terminal or process group passes it by.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
      cwd: '/',
    });
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        const told = message as SpoolerMessage;
        if (told.type === 'ready') resolve();
        else onDisk(told.folder, told.problem);
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (this.spooler?.child === child) this.spooler = undefined;
        // One that was killed leaves its socket.
        rmSync(path, { force: true });
        if (!this.closed) logger.error({ code, signal, program }, 'the spooler of sandboxes has ended');
        reject(new Error(`the process that keeps the output of sandboxes ended with ${signal ?? `code ${code}`}`));
      });
    });
    // Whoever waits for it is told; nobody may be.
    ready.catch(() => undefined);
    // Whether it lives is no reason for the agent to stay.
    child.unref();
    child.channel?.unref();
    return { child, path, ready };
  }
}

function socketPath(unique: string): string {
  const name = `spooler-${createHash('sha256').update(unique).digest('hex').slice(0, 16)}`;
  try {
    mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o700 });
    accessSync(RUN_FOLDER, constants.W_OK);
    return join(RUN_FOLDER, name);
  } catch {
    const folder = join(tmpdir(), name);
    mkdirSync(folder, { mode: 0o700 });
    return join(folder, 's');
  }
}

async function openStream(path: string, request: SpoolRequest): Promise<Socket> {
  const socket = connect(path);
  // Told by the promises below; afterwards it is the sandbox's.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    socket.write(`${JSON.stringify(request)}\n`);
    // Closed without an answer: the folder cannot be written.
    const closed = once(socket, 'close').then(() => {
      throw new Error(`The output cannot be kept in ${request.folder}. Look whether the disk is full.`);
    });
    closed.catch(() => undefined);
    await Promise.race([once(socket, 'data'), closed]);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
