import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { rmSync } from 'node:fs';

/**
 * Stands before a real engine and can lose an answer after the engine has done what was asked, as if it were killed in that moment, or
 * tell of a container what an engine does that heard too late why it ended.
 */
export class ForgetfulEngine {
  readonly socketPath: string;
  /** While true nobody answers at all. */
  isAway = false;
  /** While true no inspection says that a container was killed for its memory. */
  hearsOfMemoryLate = false;
  private losing: { readonly path: RegExp; readonly thenAway: boolean; readonly onLost: () => void } | undefined;

  private constructor(
    private readonly engineSocket: string,
    private readonly folder: string,
    private readonly server: Server,
  ) {
    this.socketPath = join(folder, 'docker.sock');
  }

  static async start(engineSocket: string): Promise<ForgetfulEngine> {
    const server = createServer();
    const engine = new ForgetfulEngine(engineSocket, temporaryFolder('gantry-forgetful'), server);
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => engine.pass(asked, answer));
    await new Promise<void>((resolve) => server.listen(engine.socketPath, resolve));
    return engine;
  }

  /** Resolves when the next answer to a POST of this path has been lost. */
  loseAnswer(path: RegExp, { thenAway = false } = {}): Promise<void> {
    return new Promise((resolve) => {
      this.losing = { path, thenAway, onLost: resolve };
    });
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    if (this.isAway) {
      asked.socket.destroy();
      return;
    }
    const { method, url: path, headers } = asked;
    const lost = method === 'POST' && this.losing?.path.test(path ?? '') === true ? this.losing : undefined;
    if (lost !== undefined) this.losing = undefined;
    const passed = request({ socketPath: this.engineSocket, method, path, headers }, (response) => {
      if (this.hearsOfMemoryLate && /^\/containers\/[0-9a-f]+\/json/.test(path ?? '')) {
        void text(response).then((body) => {
          answer.writeHead(response.statusCode ?? 500, { 'content-type': 'application/json' });
          answer.end(body.replace('"OOMKilled":true', '"OOMKilled":false'));
        });
        return;
      }
      if (lost === undefined) {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        answer.flushHeaders();
        response.pipe(answer);
        return;
      }
      response.resume().once('end', () => {
        this.isAway = lost.thenAway;
        asked.socket.destroy();
        lost.onLost();
      });
    });
    passed.once('error', () => asked.socket.destroy());
    answer.once('close', () => passed.destroy());
    asked.pipe(passed);
  }
}
