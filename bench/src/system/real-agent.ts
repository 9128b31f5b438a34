import { readFileSync } from 'node:fs';
import type { ChildProgram } from './child-program.js';
import { type CpuMeter, meterOf, meterOfEndedChildren } from './cpu-clock.js';
import type { Workforce } from './end-to-end-round.js';
import type { ServiceSystem } from './service-system.js';

/** One real agent that runs each task as a sandboxed process of this machine. */
export class RealAgent implements Workforce {
  readonly failure = undefined;
  readonly connections = { of: 'agent', prefix: 'worker-' };

  private constructor(private readonly program: ChildProgram) {}

  /** `slots`: how many tasks it holds at a time. */
  static async start(system: ServiceSystem, slots: number): Promise<RealAgent> {
    const program = await system.startAgent({
      GANTRY_WORKER_MAX_TASKS: String(slots),
      // Of `true` as many run as there are slots: no other limit shall hold them back.
      GANTRY_WORKER_CPUS: String(slots),
      GANTRY_WORKER_MEMORY_MB: String(slots * 64),
      GANTRY_WORKER_STORAGE_MB: String(slots * 64),
    });
    return new RealAgent(program);
  }

  get meters(): ReadonlyMap<string, CpuMeter> {
    const { pid } = this.program;
    const spooler = spoolerOf(pid);
    // Whichever of the two starts them.
    const [ofAgent, ofSpooler] = [meterOfEndedChildren(pid), meterOfEndedChildren(spooler)];
    return new Map<string, CpuMeter>([
      ['agent', meterOf(pid)],
      ['spooler', meterOf(spooler)],
      ['sandboxes', () => ({ all: ofAgent().all + ofSpooler().all, mainThread: 0 })],
    ]);
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }
}

/** The agent's process that keeps the output of sandboxes. */
function spoolerOf(agent: number): number {
  const children = readFileSync(`/proc/${agent}/task/${agent}/children`, 'utf8').trim().split(' ').map(Number);
  const spooler = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('output-spooler'));
  if (spooler === undefined) throw new Error('The agent has no spooler.');
  return spooler;
}
