import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { ServiceProcess } from '@gantry/testing/service-process.fixture';
import { removeFolder, temporaryFolder } from '@gantry/testing/temporary-folder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/bundle/main.js', import.meta.url));

let nats: NatsServerFixture;

beforeAll(async () => {
  nats = await startNatsServer();
});

afterAll(async () => {
  await nats?.stop();
});

/** Watches the memory of the embedded ClickHouse, which puts this thread of its own before all others where it may. */
const WATCHES_MEMORY = 'MemoryWorker';

/** Of every thread of the running service, those of the embedded ClickHouse among them. */
async function nicenessOfThreads(settings: NodeJS.ProcessEnv): Promise<number[]> {
  const data = temporaryFolder('gantry-priority');
  const telemetry = await ServiceProcess.start(program, {
    NATS_URL: nats.url,
    GANTRY_DATA: data,
    LOG_LEVEL: 'warn',
    ...settings,
  });
  try {
    const folder = `/proc/${telemetry.pid}/task`;
    return readdirSync(folder).flatMap((thread) => {
      try {
        const name = readFileSync(`${folder}/${thread}/comm`, 'utf8').trim();
        return name === WATCHES_MEMORY ? [] : [getPriority(Number(thread))];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  } finally {
    await telemetry.stop();
    removeFolder(data);
  }
}

describe('the priority of telemetry', () => {
  it('is below that of other programs, in every thread', async () => {
    const threads = await nicenessOfThreads({});
    // More than Node has by itself.
    expect(threads.length).toBeGreaterThan(12);
    expect(new Set(threads)).toEqual(new Set([Math.max(10, getPriority())]));
  });

  it('is what it is told', async () => {
    expect(new Set(await nicenessOfThreads({ GANTRY_TELEMETRY_NICENESS: '0' }))).toEqual(new Set([getPriority()]));
  });
});
