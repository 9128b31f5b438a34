import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pause } from '@gantry/jetstream/pause';
import { GantryError } from '@gantry/kernel/gantry-error';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RuntimeProblem } from '../container-runtime.port.js';
import { DockerImages, type RegistryCredentials } from './docker-images.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const missing: Answer = (_, response) => {
  response.writeHead(404);
  response.end('{"message":"no such image"}');
};
const pulling: Answer = (_, response) => {
  response.writeHead(200);
  response.write('{"status":"Pulling from library/busybox","id":"latest"}\n');
};
const saying =
  (error: string): Answer =>
  (_, response) => {
    response.writeHead(200);
    response.end(`${JSON.stringify({ status: 'Pulling' })}\n${JSON.stringify({ error })}\n`);
  };
const ok: Answer = (_, response) => response.end('OK');
const nothing: Answer = () => undefined;

/** An engine of a few answers: the real ones do not fail on demand. */
describe('a pull that fails', () => {
  let folder: string;
  let socketPath: string;
  let server: Server;
  let pull: Answer;
  let inspect: Answer;
  let ping: Answer;
  let pulls: number;

  beforeEach(async () => {
    folder = temporaryFolder('gantry-images');
    socketPath = join(folder, 'docker.sock');
    [pull, inspect, ping, pulls] = [pulling, missing, ok, 0];
    server = createServer((request, response) => {
      const path = request.url ?? '';
      if (path.startsWith('/_ping')) ping(request, response);
      else if (path.startsWith('/images/create')) {
        pulls += 1;
        pull(request, response);
      } else inspect(request, response);
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const problem = async (credentials: RegistryCredentials = () => undefined): Promise<RuntimeProblem> => {
    const limits = { answerMs: 300, pullIdleMs: 300 };
    const images = new DockerImages(new Docker({ socketPath }), credentials, limits);
    return images
      .ensure('busybox', () => undefined, new AbortController().signal)
      .then(
        () => Promise.reject(new Error('the image came')),
        (error: unknown) => error as RuntimeProblem,
      );
  };

  it('because the engine died is the fault of the machine', async () => {
    pull = (request, response) => {
      pulling(request, response);
      setTimeout(() => {
        server.close();
        server.closeAllConnections();
      }, 50);
    };
    const { outcome, message } = await problem();
    expect(outcome).toBe('infrastructure_error');
    expect(message).toContain('container engine');
  });

  it('because the engine is gone is the fault of the machine', async () => {
    server.close();
    expect(await problem()).toMatchObject({ outcome: 'infrastructure_error' });
  });

  it('because the engine breaks off is the fault of the machine', async () => {
    pull = (_, response) => response.end();
    expect(await problem()).toMatchObject({ outcome: 'infrastructure_error' });
    expect(pulls).toBe(3);
  });

  it('because the disk is full is the fault of the machine, and is not tried again on it', async () => {
    pull = saying('failed to register layer: write /bin/x: no space left on device');
    const { outcome, message } = await problem();
    expect([outcome, pulls]).toEqual(['infrastructure_error', 1]);
    expect(message).toContain("The worker's disk is full");
  });

  it("because the worker's credentials cannot be read is the fault of the machine", async () => {
    const unreadable = (): never => {
      throw new GantryError('WORKER.REGISTRY_CONFIG', 'invalid', 'It cannot be read.');
    };
    expect(await problem(unreadable)).toMatchObject({ outcome: 'infrastructure_error', message: 'It cannot be read.' });
  });

  it('because the registry has a passing fault is tried again, and then of the image', async () => {
    pull = saying('received unexpected HTTP status: 503 Service Unavailable');
    expect(await problem()).toMatchObject({ outcome: 'image_error' });
    expect(pulls).toBe(3);
  });

  it('because nothing new is heard of it is of its registry, if the engine still answers', async () => {
    for (const silent of [pulling, nothing]) {
      pulls = 0;
      pull = silent;
      const { outcome, message } = await problem();
      expect([outcome, pulls]).toEqual(['image_error', 1]);
      expect(message).toContain('nothing has come from its registry for 0.3 s');
    }
  });

  it('because the engine repeats where it stands for ever is no different', async () => {
    pull = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('{"status":"Downloading","id":"a"}\n'), 20);
      response.once('close', () => clearInterval(timer));
    };
    expect(await problem()).toMatchObject({ outcome: 'image_error', message: expect.stringContaining('nothing has') });
  });

  it('because nothing is heard is the fault of the machine, if the engine does not answer at all', async () => {
    ping = (request) => request.socket.destroy();
    expect(await problem()).toMatchObject({
      outcome: 'infrastructure_error',
      message: expect.stringContaining('does not answer'),
    });
    inspect = nothing;
    expect(await problem()).toMatchObject({
      outcome: 'infrastructure_error',
      message: expect.stringContaining('no answer for 0.3 s'),
    });
  });

  it('is none while there is news, however long it takes', async () => {
    let there = false;
    inspect = (request, response) => (there ? response.end('{}') : missing(request, response));
    const tell = async (response: ServerResponse): Promise<void> => {
      for (let current = 1; current <= 6; current += 1) {
        response.write(`{"status":"Downloading","id":"a","progressDetail":{"current":${current},"total":6}}\n`);
        await pause(100);
      }
      there = true;
      response.end();
    };
    pull = (_, response) => void tell(response);
    await expect(problem()).rejects.toThrow('the image came');
  });
});
