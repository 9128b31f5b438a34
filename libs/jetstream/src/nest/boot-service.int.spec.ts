import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getHealth, type RequestContext } from '@gantry/contracts/messaging/request';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectNats } from '../connect.js';
import { RequestClient } from '../request-client.js';
import { eventually } from '../testing/eventually.js';
import { type NatsServerFixture, startNatsServer } from '../testing/nats-server.fixture.js';
import { explode, linger } from '../testing/sample-service.js';

const context: RequestContext = { actor: { kind: 'anonymous' }, correlationId: 'c' };
/** The build: what runs in production, so the build comes before this test. */
const program = new URL('../../dist/testing/sample-service.js', import.meta.url);

interface Child {
  process: ChildProcess;
  messages: string[];
  log: () => Record<string, unknown>[];
  exit: Promise<number | null>;
}

describe('bootService', () => {
  let server: NatsServerFixture;
  let nc: NatsConnection;
  let client: RequestClient;
  let child: Child;

  const start = (environment: NodeJS.ProcessEnv = {}): Child => {
    const process_ = fork(program, ['run'], {
      env: { PATH: process.env['PATH'], NATS_URL: server.url, ...environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const messages: string[] = [];
    let output = '';
    process_.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    process_.on('message', (message) => messages.push((message as { type: string }).type));
    const log = () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { process: process_, messages, log, exit: once(process_, 'exit').then(([code]) => code as number | null) };
  };
  const startReady = async (): Promise<Child> => {
    child = start();
    await eventually(() => expect(child.messages).toContain('ready'), { timeoutMs: 20_000 });
    return child;
  };

  beforeEach(async () => {
    server = await startNatsServer();
    nc = await connectNats({ url: server.url, name: 'caller' });
    client = new RequestClient(nc);
  });

  afterEach(async () => {
    child.process.kill('SIGKILL');
    await nc.close();
    await server.stop();
  });

  it('says that it is ready, by message and in the log, and answers health', async () => {
    const { log } = await startReady();
    // Written before the message is sent, but through another pipe.
    const ready = expect.objectContaining({ msg: 'ready', name: 'sample', level: 'info' });
    await eventually(() => expect(log()).toContainEqual(ready), { timeoutMs: 5_000 });
    expect(await client.request(getHealth('sample'), {}, context)).toMatchObject({
      service: 'sample',
      status: 'healthy',
    });
  });

  for (const [how, end] of [
    ['SIGTERM', (process_: ChildProcess) => void process_.kill('SIGTERM')],
    ['SIGINT', (process_: ChildProcess) => void process_.kill('SIGINT')],
    ['the message stop', (process_: ChildProcess) => void process_.send({ type: 'stop' })],
  ] as const) {
    it(`on ${how} finishes the request in hand, runs the hooks and ends with 0`, async () => {
      const { process: process_, messages, exit } = await startReady();
      const answer = client.request(linger, { milliseconds: 500 }, context);
      await eventually(() => expect(messages).toContain('lingering'));
      end(process_);
      expect(await answer).toEqual({ finished: true });
      expect(await exit).toBe(0);
      expect(messages).toContain('hooks');
    });
  }

  it('ends with 0 when its supervisor is gone', async () => {
    const { process: process_, exit } = await startReady();
    process_.disconnect();
    expect(await exit).toBe(0);
  });

  it('ends within its limit although a request hangs', async () => {
    const { process: process_, messages, exit } = await startReady();
    client.request(linger, { milliseconds: 60_000 }, context).catch(() => undefined);
    await eventually(() => expect(messages).toContain('lingering'));
    const begun = performance.now();
    process_.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(performance.now() - begun).toBeLessThan(12_000);
  });

  it('ends with 1 after an error that nobody caught, and logs it', async () => {
    const { exit, log } = await startReady();
    await client.request(explode, {}, context).catch(() => undefined);
    expect(await exit).toBe(1);
    expect(log()).toContainEqual(expect.objectContaining({ level: 'fatal', msg: 'uncaught error' }));
  });

  it('ends with 1 at once when its environment is wrong', async () => {
    child = start({ LOG_LEVEL: 'loud' });
    let errors = '';
    child.process.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    expect(await child.exit).toBe(1);
    expect(errors).toContain('environment: LOG_LEVEL: ');
  });

  it('waits for the broker and survives its restart', async () => {
    await startReady();
    await server.restart();
    await eventually(async () => {
      expect(await client.request(getHealth('sample'), {}, context)).toMatchObject({ status: 'healthy' });
    });
    expect(child.process.exitCode).toBeNull();
  });
});
