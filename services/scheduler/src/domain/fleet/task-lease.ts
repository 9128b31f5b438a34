import type { TaskSpec } from '@gantry/contracts/tasks/task-spec';
import type { FleetTiming } from './worker-record.js';

/** The lease under which attempts of a task run. */
export function leaseMsOf({ leaseSeconds }: Pick<TaskSpec, 'leaseSeconds'>, timing: FleetTiming): number {
  return leaseSeconds === undefined ? timing.leaseMs : leaseSeconds * 1_000;
}

/** The lease travels beside the spec, and agents of an older version refuse fields that they do not know. */
export function withoutLease({ leaseSeconds: _lease, ...spec }: TaskSpec): TaskSpec {
  return spec;
}
