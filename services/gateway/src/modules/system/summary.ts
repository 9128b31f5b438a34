import { activeStatuses, taskStatuses, type TaskStatus } from '@gantry/contracts/tasks/task-status';
import { countTasks } from '@gantry/contracts/tasks/task-requests';
import { listWorkers } from '@gantry/contracts/scheduling/scheduler-requests';
import { getSummary } from '@gantry/contracts/telemetry/telemetry-requests';
import type { OutputOf } from '@gantry/contracts/messaging/request';
import type { Clock } from '@gantry/kernel/clock';
import type { ServiceClient } from '../../adapters/service-client.js';
import { reasonOf } from '../../edge/settled.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';

export interface Summary {
  total: number;
  last24h: number;
  byStatus: { status: TaskStatus; count: number }[];
  perHour: { hour: number; submitted: number; succeeded: number; failed: number }[];
  averageDurationSeconds: number | null;
  activeWorkers: number;
  totalWorkers: number;
  degraded: boolean;
}

type Counts = OutputOf<typeof countTasks>['byStatus'];
type History = OutputOf<typeof getSummary>;

/**
 * Active tasks are counted by the tasks service, which is exact; ended ones by the index, which holds all of them but may be a
 * moment behind, so the tasks service's own number counts where it is higher.
 */
export function mergeSummary(
  counts: Counts | undefined,
  history: History | undefined,
  workers: readonly { status: string }[] | undefined,
): Summary {
  const byStatus = taskStatuses.map((status) => {
    const exact = counts?.[status] ?? 0;
    const indexed = history?.byStatus[status] ?? 0;
    const isActive = (activeStatuses as readonly string[]).includes(status);
    const count = counts === undefined ? indexed : isActive ? exact : Math.max(exact, indexed);
    return { status, count };
  });
  return {
    total: byStatus.reduce((sum, { count }) => sum + count, 0),
    last24h: history?.last24h ?? 0,
    byStatus,
    perHour: history?.perHour ?? [],
    averageDurationSeconds: history?.averageDurationSeconds ?? null,
    activeWorkers: workers?.filter(({ status }) => status === 'active' || status === 'overloaded').length ?? 0,
    totalWorkers: workers?.length ?? 0,
    degraded: history === undefined || counts === undefined || workers === undefined,
  };
}

export class SummaryQuery {
  constructor(
    private readonly services: ServiceClient,
    private readonly clock: Clock,
  ) {}

  async read(caller: Caller): Promise<Summary> {
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    const [counts, history, fleet] = await Promise.allSettled([
      this.services.ask(countTasks, visibility, caller),
      this.services.ask(getSummary, { ...visibility, now: this.clock.now() }, caller),
      this.services.ask(listWorkers, {}, caller),
    ]);
    if (counts.status === 'rejected' && history.status === 'rejected') throw reasonOf(counts);
    return mergeSummary(
      counts.status === 'fulfilled' ? counts.value.byStatus : undefined,
      history.status === 'fulfilled' ? history.value : undefined,
      fleet.status === 'fulfilled' ? fleet.value.workers : undefined,
    );
  }
}
