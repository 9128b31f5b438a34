import type { FreeTable } from '../harness/bench.port.js';
import { everythingArchived } from './archived.js';
import type { MessageCount } from './connection-counts.js';
import { type CpuMeter, type CpuUse, meterOf } from './cpu-clock.js';
import type { ServiceSystem } from './service-system.js';
import type { Submitter } from './submitter.js';
import { until } from './until.js';

const CONCURRENCY = 128;
const WARM_UP_SECONDS = 15;
/** A round is what the warm-up's pace does in this time, so that a slow or busy machine measures less work and not longer. */
const ROUND_SECONDS = 5;

/** Whoever takes the tasks: simulated workers or a real agent. */
export interface Workforce {
  /** What its processes use, by the names of the table. */
  readonly meters: ReadonlyMap<string, CpuMeter>;
  /** Which of these names stands for its connections, and what the names of those begin with. */
  readonly connections: { readonly of: string; readonly prefix: string };
  /** Why it cannot go on. */
  readonly failure: string | undefined;
}

export interface EndToEndRound {
  readonly seconds: number;
  readonly submitSeconds: number;
  /** Until the tasks can be read from ClickHouse too. */
  readonly archivedSeconds: number;
  readonly cpu: ReadonlyMap<string, CpuUse>;
  /** By the names of `cpu`, where they are clients of the broker. */
  readonly messages: ReadonlyMap<string, MessageCount>;
}

/** Submits `count` tasks and waits until the tasks service has stored the end of each; the CPU is that of archiving them too. */
export async function endToEndRound(
  system: ServiceSystem,
  submitter: Submitter,
  workforce: Workforce,
  count: number,
): Promise<EndToEndRound> {
  const before = (await submitter.counts()).succeeded;
  const cpu = system.cpuClock(new Map([...workforce.meters, ['driver', meterOf(process.pid)]]));
  const counter = await system.messageCounts();
  const startedAt = performance.now();
  const submitSeconds = await submitter.submitMany(count, CONCURRENCY);
  // The board forgets the oldest ended tasks, so the newest counts of ended ones are not a sum; that none is active is.
  await until(async () => {
    if (workforce.failure !== undefined) throw new Error(workforce.failure);
    const { succeeded, failed, queued, assigned, starting, running } = await submitter.counts();
    if (failed > 0) throw new Error(`${failed} tasks failed.`);
    return queued + assigned + starting + running === 0 && (succeeded >= before + count || succeeded >= 10_000);
  }, 120_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  await everythingArchived(system.nc);
  const archivedSeconds = (performance.now() - startedAt) / 1_000;
  const used = cpu.read();
  const messages = messagesOf(await counter.read(), workforce);
  return { seconds, submitSeconds, archivedSeconds, cpu: used, messages };
}

/** The broker handles what all clients send, and everything that they receive. */
function messagesOf(
  counts: ReadonlyMap<string, MessageCount>,
  { connections: { of, prefix } }: Workforce,
): Map<string, MessageCount> {
  const messages = new Map<string, MessageCount>();
  const add = (name: string, { sent, received }: MessageCount): void => {
    const known = messages.get(name) ?? { sent: 0, received: 0 };
    messages.set(name, { sent: known.sent + sent, received: known.received + received });
  };
  for (const [connection, count] of counts) {
    add(connection === 'bench' ? 'driver' : connection.startsWith(prefix) ? of : connection, count);
    add('nats-server', { sent: count.received, received: count.sent });
  }
  return messages;
}

/** Answers how many tasks a round should have: at most so many. */
export async function warmUp(
  system: ServiceSystem,
  submitter: Submitter,
  workforce: Workforce,
  { tasks, most }: { tasks: number; most: number },
): Promise<number> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  let done = 0;
  let pace = 0;
  while (done < tasks && seconds() < WARM_UP_SECONDS) {
    const portion = Math.ceil(tasks / 6);
    pace = portion / (await endToEndRound(system, submitter, workforce, portion)).seconds;
    done += portion;
  }
  return Math.min(most, Math.max(100, Math.ceil((pace * ROUND_SECONDS) / 100) * 100));
}

/** CPU microseconds and messages per task of each process, most expensive first. */
export function cpuTable(rounds: readonly EndToEndRound[], count: number): FreeTable {
  const tasks = count * rounds.length;
  const perTask = (pick: (round: EndToEndRound) => number | undefined): number =>
    rounds.reduce((sum, round) => sum + (pick(round) ?? 0), 0) / tasks;
  const rows = [...(rounds[0]?.cpu.keys() ?? [])]
    .map((name) => ({
      name,
      cpu: perTask(({ cpu }) => cpu.get(name)?.all) * 1e6,
      mainThread: perTask(({ cpu }) => cpu.get(name)?.mainThread) * 1e6,
      sent: perTask(({ messages }) => messages.get(name)?.sent),
      received: perTask(({ messages }) => messages.get(name)?.received),
    }))
    .sort((a, b) => b.cpu - a.cpu);
  const shown = (value: number): number | string => (value === 0 ? '' : Number(value.toFixed(2)));
  return {
    title: 'CPU of one task, microseconds, and its messages',
    columns: ['process', 'CPU', 'of which first thread', 'messages sent', 'received', 'CPU of a message'],
    rows: [
      ...rows.map(({ name, cpu, mainThread, sent, received }) => {
        const each = sent + received === 0 ? '' : Math.round(cpu / (sent + received));
        return [name, Math.round(cpu), Math.round(mainThread), shown(sent), shown(received), each];
      }),
      ['all', Math.round(rows.reduce((sum, { cpu }) => sum + cpu, 0)), '', '', '', ''],
    ],
  };
}
