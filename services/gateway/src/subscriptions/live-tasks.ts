import { taskFilterSchema, type TaskFilter } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { parseInput } from '../edge/parse-input.js';
import { matchesFilter } from '../modules/tasks/task-list.order.js';
import type { TaskReader } from '../modules/tasks/task-reader.js';
import { principalOf, type Caller } from '../security/caller.js';
import { visibleTo } from '../security/principal.js';
import type { TaskChange, TaskFeed } from './task-feed.js';

/** Tasks as they change, seen with the eyes of one caller. */
export class LiveTasks {
  constructor(
    private readonly feed: TaskFeed,
    private readonly reader: Pick<TaskReader, 'get'>,
  ) {}

  /**
   * One task: its state, then every change, never an older version after a newer one. Collecting starts before the state
   * is asked for, so nothing falls in between. Throws when the caller may not see it.
   */
  async open(
    id: string,
    caller: Caller,
  ): Promise<{ current: TaskView; views: (signal: AbortSignal) => AsyncGenerator<TaskView> }> {
    const { queue, leave } = this.feed.subscribe({ taskId: id, matches: () => true });
    let current: TaskView;
    try {
      ({ task: current } = await this.reader.get(id, caller));
    } catch (error) {
      leave();
      throw error;
    }
    async function* read(signal: AbortSignal): AsyncGenerator<TaskView> {
      let { version } = current;
      yield current;
      while (!signal.aborted) {
        for (const { task } of await queue.drain(signal)) {
          if (task.version <= version) continue;
          version = task.version;
          yield task;
        }
      }
    }
    return { current, views: (signal) => endingWith(leave, read(signal), signal) };
  }

  /** The same with a filter that came from outside. */
  changesMatching(filter: unknown, caller: Caller): (signal: AbortSignal) => AsyncGenerator<TaskChange> {
    return this.changes(parseInput(taskFilterSchema, filter), caller);
  }

  /** Every change of the tasks that match the filter, or did until now. Collecting starts with the call. */
  changes(filter: TaskFilter, caller: Caller): (signal: AbortSignal) => AsyncGenerator<TaskChange> {
    const owner = visibleTo(principalOf(caller));
    const matches = (task: TaskView) => (owner === null || task.ownerId === owner) && matchesFilter(task, filter);
    const { queue, leave } = this.feed.subscribe({ matches });
    async function* read(signal: AbortSignal): AsyncGenerator<TaskChange> {
      while (!signal.aborted) yield* await queue.drain(signal);
    }
    return (signal) => endingWith(leave, read(signal), signal);
  }
}

/** Also leaves when the client went away before it read anything: a generator that never started has no `finally`. */
function endingWith<T>(leave: () => void, source: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  return source;
}
