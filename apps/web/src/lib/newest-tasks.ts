/** Tasks remembered; the least recently seen are forgotten first. */
const MOST = 2_000;

interface Known {
  readonly version: number;
  readonly value: unknown;
}

interface VersionedTask extends Record<string, unknown> {
  readonly id: string;
  readonly version: number;
}

/**
 * Keeps answers from taking a task back in time. A mutation's answer and a subscription travel on different connections: the
 * answer "cancelling" may come after the push "cancelled", and no later push would correct the page. What is known of a
 * newer version replaces what an older answer says, field by field.
 */
export class NewestTasks {
  private readonly tasks = new Map<string, Map<string, Known>>();

  /** A copy of a GraphQL result in which no task is older than in any result before it. */
  take<T>(result: T): T {
    return this.walk(result) as T;
  }

  private walk(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.walk(item));
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.walk(inner)]));
    return isTask(copy) ? this.reconcile(copy) : copy;
  }

  private reconcile(task: VersionedTask): VersionedTask {
    const fields = this.tasks.get(task.id) ?? new Map<string, Known>();
    this.tasks.delete(task.id);
    this.tasks.set(task.id, fields);
    if (this.tasks.size > MOST) this.tasks.delete(this.tasks.keys().next().value ?? '');
    const newest: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(task)) {
      const known = fields.get(name);
      if (known === undefined || known.version <= task.version) fields.set(name, { version: task.version, value });
      newest[name] = fields.get(name)?.value;
    }
    return newest as VersionedTask;
  }
}

function isTask(value: Record<string, unknown>): value is VersionedTask {
  return value['__typename'] === 'Task' && typeof value['id'] === 'string' && typeof value['version'] === 'number';
}
