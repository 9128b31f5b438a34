import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import type { ContainerExit } from '../../domain/attempt.state.js';
import type { LogCursor } from '../../domain/logs/raw-line.js';
import { type ContainerRuntime, type KnownContainer, type LogSink, RuntimeProblem } from '../container-runtime.port.js';

/** The only queue that a simulated worker serves, and its label. */
export const SIMULATED = 'simulated';
/** Labels of a task: how long it pretends to run (milliseconds), and how it ends. */
const DURATION_LABEL = 'simulated-ms';
const EXIT_CODE_LABEL = 'simulated-exit-code';

interface Pretence {
  readonly durationMs: number;
  readonly exitCode: number;
  readonly stop: AbortController;
  exit: Promise<ContainerExit> | undefined;
}

/**
 * Runs nothing: a task ends after the time that its labels declare. For measuring everything around containers with the real
 * agent. Nobody can take it for work: it says `simulated` as its runtime, label and queue, in each container id and in each
 * log, and refuses tasks of any other queue.
 */
export class SimulatedRuntime implements ContainerRuntime {
  readonly kind = SIMULATED;
  private readonly pretences = new Map<string, Pretence>();

  version(): Promise<string> {
    return Promise.resolve('none');
  }

  images(): Promise<string[]> {
    return Promise.resolve([]);
  }

  prepareImage(): Promise<void> {
    return Promise.resolve();
  }

  create({ taskId, attempt, spec }: AssignEventData<'TaskAssigned'>): Promise<string> {
    if (spec.queue !== SIMULATED) {
      const message = `This worker only simulates. Submit to the queue "${SIMULATED}" if that is what you want, else to another worker.`;
      return Promise.reject(new RuntimeProblem('failed_to_start', message));
    }
    const [durationMs, exitCode] = [DURATION_LABEL, EXIT_CODE_LABEL].map((label) => Number(spec.labels[label] ?? 0));
    if (durationMs === undefined || !(durationMs >= 0) || exitCode === undefined || !Number.isInteger(exitCode)) {
      const message = `The labels ${DURATION_LABEL} and ${EXIT_CODE_LABEL} must be numbers.`;
      return Promise.reject(new RuntimeProblem('failed_to_start', message));
    }
    const id = `${SIMULATED}-${taskId}-${attempt}`;
    this.pretences.set(id, { durationMs, exitCode, stop: new AbortController(), exit: undefined });
    return Promise.resolve(id);
  }

  start(containerId: string): Promise<{ startedAt: number }> {
    const pretence = this.pretences.get(containerId);
    if (pretence === undefined)
      return Promise.reject(new RuntimeProblem('infrastructure_error', 'The simulated task is gone.'));
    const { durationMs, exitCode, stop } = pretence;
    pretence.exit = new Promise((resolve) => {
      const end = (code: number): void => resolve({ exitCode: code, oomKilled: false, finishedAt: Date.now() });
      const timer = setTimeout(() => end(exitCode), durationMs);
      stop.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          end(stop.signal.reason === 'SIGKILL' ? 137 : 143);
        },
        { once: true },
      );
    });
    return Promise.resolve({ startedAt: Date.now() });
  }

  wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    const exit = this.pretences.get(containerId)?.exit;
    if (exit === undefined) return Promise.resolve(undefined);
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    return Promise.race([exit, aborted]);
  }

  signal(containerId: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.pretences.get(containerId)?.stop.abort(signal);
    return Promise.resolve();
  }

  async followLogs(containerId: string, _cursor: LogCursor | undefined, sink: LogSink): Promise<void> {
    const pretence = this.pretences.get(containerId);
    if (pretence === undefined) return;
    const text = `Simulated: nothing runs. It ends after ${pretence.durationMs} ms with code ${pretence.exitCode}.`;
    await sink.write([{ stream: 'stderr', t: Date.now(), text, partial: false }], undefined);
    await pretence.exit;
  }

  list(): Promise<KnownContainer[]> {
    return Promise.resolve([]);
  }

  remove(containerId: string): Promise<void> {
    this.pretences.get(containerId)?.stop.abort('SIGKILL');
    this.pretences.delete(containerId);
    return Promise.resolve();
  }

  endProcesses(): Promise<void> {
    return Promise.resolve();
  }

  mainPid(): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  controlGroup(): undefined {
    return undefined;
  }
}
