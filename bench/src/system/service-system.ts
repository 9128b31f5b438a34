import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  servicePermissions,
  type SubjectPermissions,
  workerPermissions,
} from '@gantry/contracts/messaging/permissions';
import { connectNats } from '@gantry/jetstream/connect';
import { freePort } from '@gantry/testing/free-port';
import { type NatsServerFixture, startNatsServer } from '@gantry/testing/nats-server.fixture';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import type { NatsConnection } from '@nats-io/transport-node';
import { ChildProgram } from './child-program.js';
import { ConnectionCounts } from './connection-counts.js';
import { CpuClock, type CpuMeter, meterOf } from './cpu-clock.js';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));
const PASSWORD = 'bench';
/** Of the one real agent that a bench may start. */
const WORKER_ID = 'bench';
const WORKER_USER = `worker-${WORKER_ID}`;

export type ServiceName = keyof typeof servicePermissions;

/** Broker and services as processes of their own, with the broker users and permissions that `npm start` gives them. */
export class ServiceSystem {
  private readonly services = new Map<ServiceName, ChildProgram>();

  private constructor(
    readonly nats: NatsServerFixture,
    /** Of the driver, which may do everything: it plays the gateway and reads the streams. */
    readonly nc: NatsConnection,
    readonly folder: string,
    private readonly profileFolder: string | undefined,
    private readonly monitorUrl: string,
  ) {}

  static async start(names: readonly ServiceName[], profileFolder?: string): Promise<ServiceSystem> {
    const permissions: Record<string, SubjectPermissions> = {
      ...servicePermissions,
      [WORKER_USER]: workerPermissions(WORKER_ID),
    };
    const accounts = Object.entries(permissions).map(
      ([user, { publish, subscribe }]) =>
        `{ user: ${user}, password: ${PASSWORD}, permissions: { publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)} } }`,
    );
    const monitor = `127.0.0.1:${await freePort()}`;
    const nats = await startNatsServer({
      config: [
        `http: "${monitor}"`,
        'max_payload: 1MB',
        'max_pending: 256MB',
        'write_deadline: "10s"',
        `authorization { users: [ ${accounts.join(', ')}, { user: bench, password: ${PASSWORD} } ] }`,
      ].join('\n'),
    });
    const nc = await connectNats({ url: nats.url, user: 'bench', password: PASSWORD, name: 'bench' });
    const system = new ServiceSystem(nats, nc, temporaryFolder('gantry-bench'), profileFolder, `http://${monitor}`);
    await Promise.all(names.map((name) => system.startService(name)));
    return system;
  }

  async startService(name: ServiceName): Promise<void> {
    if (this.profileFolder !== undefined) mkdirSync(this.profileFolder, { recursive: true });
    this.services.set(
      name,
      await ChildProgram.start({
        name,
        // A profile tells files apart, which the bundle has made one.
        main: join(
          repository,
          'services',
          name,
          this.profileFolder === undefined ? 'dist/bundle/main.js' : 'dist/main.js',
        ),
        cwd: this.folder,
        env: {
          ...{ NATS_URL: this.nats.url, NATS_USER: name, NATS_PASSWORD: PASSWORD, GANTRY_DATA: this.folder },
          // Of the gateway: whichever is free.
          GANTRY_API_PORT: '0',
        },
        profileFolder: this.profileFolder,
      }),
    );
  }

  /** A real agent, as `npm start` runs it, with its process runtime; for the settings see its README. */
  startAgent(settings: NodeJS.ProcessEnv): Promise<ChildProgram> {
    return ChildProgram.start({
      name: 'agent',
      main: join(repository, 'agents/worker/dist/main.js'),
      cwd: this.folder,
      env: {
        NATS_URL: this.nats.url,
        NATS_USER: WORKER_USER,
        NATS_PASSWORD: PASSWORD,
        GANTRY_DATA: join(this.folder, 'agent'),
        GANTRY_WORKER_ID: WORKER_ID,
        GANTRY_WORKER_RUNTIME: 'process',
        ...settings,
      },
      profileFolder: this.profileFolder,
    });
  }

  /** `graceMs`: what a service gets to save what it holds before it is killed. */
  async stopService(name: ServiceName, signal?: NodeJS.Signals, graceMs?: number): Promise<void> {
    await this.services.get(name)?.stop(signal, graceMs);
    this.services.delete(name);
  }

  /** Broker credentials for programs of the benchmark. */
  get environment(): NodeJS.ProcessEnv {
    return { NATS_URL: this.nats.url, NATS_USER: 'bench', NATS_PASSWORD: PASSWORD };
  }

  pidOf(name: ServiceName): number {
    const program = this.services.get(name);
    if (program === undefined) throw new Error(`${name} is not running.`);
    return program.pid;
  }

  /** Counts the CPU of the broker, the services, and `others`, from now. */
  cpuClock(others: ReadonlyMap<string, CpuMeter> = new Map()): CpuClock {
    const services = [...this.services].map(([name, { pid }]) => [name, meterOf(pid)] as const);
    return new CpuClock(new Map([['nats-server', meterOf(this.nats.pid)], ...services, ...others]));
  }

  /** Counts the messages of every connection, from now. */
  messageCounts(): Promise<ConnectionCounts> {
    return ConnectionCounts.start(this.monitorUrl);
  }

  async stop(): Promise<void> {
    await this.nc.close();
    await Promise.all([...this.services.values()].map((service) => service.stop()));
    await this.nats.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
