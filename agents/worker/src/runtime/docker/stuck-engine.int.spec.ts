import { rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { eventually } from '@gantry/testing/eventually';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerRuntime } from './docker-runtime.js';

const assignment = {
  taskId: 't',
  attempt: 1,
  ownerId: 'u',
  spec: taskSpecSchema.parse({ name: 't', image: 'i' }),
  workerId: 'w',
  workerName: 'w',
  gpuIds: [],
  leaseMs: 60_000,
  assignedAt: 0,
};

describe('an engine that takes the making of a container and then is stuck', () => {
  let folder: string;
  let server: Server;
  let making: ServerResponse[];
  let removed: string[];

  beforeEach(async () => {
    folder = temporaryFolder('gantry-stuck');
    [making, removed] = [[], []];
    server = createServer(({ method, url: path = '' }, response) => {
      if (path.startsWith('/containers/create')) making.push(response);
      else if (method === 'DELETE') {
        const name = path.slice('/containers/'.length, path.indexOf('?'));
        removed.push(name);
        response.writeHead(name === 'late' ? 204 : 404).end('{}');
      } else response.end('{"NCPU":2}');
    });
    await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds nobody up for ever, and what it makes in the end is removed', async () => {
    const runtime = new DockerRuntime(new Docker({ socketPath: join(folder, 'docker.sock') }), {
      agentId: 'w',
      user: '1:1',
      logFileSize: '1m',
      hostsFile: join(folder, 'hosts'),
      credentials: () => undefined,
      limits: { answerMs: 200, pullIdleMs: 1_000 },
      clock: undefined,
      engineSince: () => Promise.resolve(undefined),
      logger: { error: () => undefined },
    });
    await expect(runtime.create(assignment, join(folder, 'output'))).rejects.toMatchObject({
      outcome: 'infrastructure_error',
      message: 'The engine could not make the container: there was no answer for 0.2 s',
    });
    await eventually(() => expect(removed).toHaveLength(1));
    // The engine may have been asked to make it long after the agent gave up.
    await eventually(() => expect(making).toHaveLength(1));
    making[0]?.writeHead(201, { 'content-type': 'application/json' }).end('{"Id":"late"}');
    await eventually(() => expect(removed).toContain('late'));
  });
});
