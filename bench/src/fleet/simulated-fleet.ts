import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../system/child-program.js';
import { type CpuMeter, meterOf } from '../system/cpu-clock.js';
import type { Workforce } from '../system/end-to-end-round.js';
import type { ServiceSystem } from '../system/service-system.js';
import type { FleetMessage, FleetSettings, FleetTally } from './fleet-protocol.js';

const defaults: FleetSettings = {
  workers: 10,
  cpusPerWorker: 10_000,
  maxTasksPerWorker: 1_000,
  heartbeatMs: 5_000,
  taskMs: 0,
  connections: 4,
};

/** The fleet's process, seen from the driver. */
export class SimulatedFleet implements Workforce {
  readonly connections = { of: 'simulated agents', prefix: 'simulated-fleet-' };
  private waiting: ((tally: FleetTally) => void)[] = [];
  failure: string | undefined;
  private program: ChildProgram | undefined;

  /** Resolves when every worker has joined. */
  static async start(system: ServiceSystem, settings: Partial<FleetSettings> = {}): Promise<SimulatedFleet> {
    const fleet = new SimulatedFleet();
    fleet.program = await ChildProgram.start({
      name: 'fleet',
      main: fileURLToPath(new URL('simulated-fleet.main.js', import.meta.url)),
      cwd: system.folder,
      env: { ...system.environment, GANTRY_BENCH_FLEET: JSON.stringify({ ...defaults, ...settings }) },
      onMessage: (message) => fleet.take(message as FleetMessage),
    });
    return fleet;
  }

  get meters(): ReadonlyMap<string, CpuMeter> {
    return new Map([['simulated agents', meterOf(this.program?.pid ?? 0)]]);
  }

  /** Counts since the start; latencies since the last call. */
  tally(): Promise<FleetTally> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.program?.send({ type: 'tally' });
    });
  }

  async stop(): Promise<void> {
    await this.program?.stop();
  }

  private take(message: FleetMessage): void {
    if (message.type === 'failed') this.failure ??= message.message;
    if (message.type === 'tally') this.waiting.shift()?.(message.tally);
  }
}
