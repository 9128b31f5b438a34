import { streams } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { TaskReader } from '../modules/tasks/task-reader.js';
import type { Caller } from '../security/caller.js';
import type { ServerEvent } from './event-stream.js';
import type { StreamReader } from './stream-reader.port.js';

/** A client that missed more starts anew faster than it catches up. */
const MAX_MISSED = 20_000;

/** What a listener missed: the present state of every task that changed after a position of TASKS. */
export class TaskReplay {
  constructor(
    private readonly reader: StreamReader,
    private readonly tasks: Pick<TaskReader, 'get'>,
  ) {}

  async *since(position: number, caller: Caller, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const missed = await this.changedSince(position, signal);
    if (missed === undefined) {
      yield { event: 'reset', data: { message: 'You missed too much: read the list again.' } };
      return;
    }
    for (const [taskId, sequence] of missed) {
      if (signal.aborted) return;
      try {
        const { task } = await this.tasks.get(taskId, caller);
        yield { event: 'task', id: String(sequence), data: task };
      } catch (error) {
        if (!(error instanceof GantryError) || error.kind !== 'not_found') throw error;
      }
    }
  }

  private async changedSince(position: number, signal: AbortSignal): Promise<Map<string, number> | undefined> {
    const changed = new Map<string, number>();
    const done = new AbortController();
    let count = 0;
    let next = position + 1;
    let gap = false;
    await this.reader.follow({
      stream: streams.tasks.name,
      from: position + 1,
      signal: AbortSignal.any([signal, done.signal]),
      onMessage: ({ subject, streamSequence }) => {
        const id = subject.split('.').at(-1) ?? '';
        changed.delete(id);
        changed.set(id, streamSequence);
        count += 1;
        // What was archived meanwhile says no longer which tasks changed.
        gap ||= streamSequence !== next;
        next = streamSequence + 1;
        if (gap || count > MAX_MISSED) done.abort();
      },
      onCaughtUp: () => done.abort(),
    });
    return gap || count > MAX_MISSED ? undefined : changed;
  }
}
