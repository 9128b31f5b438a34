import { PackedSpec, type SpecRest } from '@gantry/contracts/tasks/packed-spec';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

type FilteredSpec = Pick<SpecRest, 'queue' | 'tags'>;

/** All that lists are filtered and sorted by, in whatever form the task is held. */
export interface ListedTask extends Pick<
  TaskView,
  'id' | 'createdAt' | 'ownerId' | 'status' | 'workerId' | 'startedAt' | 'finishedAt' | 'deleted'
> {
  readonly spec: PackedSpec | (FilteredSpec & { readonly name: string });
}

/** Without unpacking. */
export function filteredSpecOf({ spec }: ListedTask): FilteredSpec {
  return spec instanceof PackedSpec ? spec.rest : spec;
}
