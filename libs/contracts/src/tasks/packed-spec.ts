import type { TaskSpec } from './task-spec.js';

/** What tasks submitted by one program mostly have in common. */
export type SpecRest = Omit<TaskSpec, 'name' | 'command' | 'env' | 'description'>;

/**
 * A spec of which only what is needed to queue, list and place the task is at hand; the rest stays text until it is asked for. A
 * million waiting tasks take a fifth of the memory and of the time to read them.
 */
export class PackedSpec {
  constructor(
    readonly name: string,
    /** One object may serve many tasks. */
    readonly rest: SpecRest,
    /** JSON of command, environment and description. */
    readonly details: string,
  ) {}
}

export type HeldSpec = TaskSpec | PackedSpec;

export function packSpec(spec: HeldSpec): PackedSpec {
  if (spec instanceof PackedSpec) return spec;
  const { name, command, env, description, ...rest } = spec;
  return new PackedSpec(name, rest, JSON.stringify([command, env, description]));
}

export function unpackSpec(spec: HeldSpec): TaskSpec {
  if (!(spec instanceof PackedSpec)) return spec;
  const [command, env, description] = JSON.parse(spec.details) as [TaskSpec['command'], TaskSpec['env'], string];
  return { ...spec.rest, name: spec.name, description, command, env };
}

/** Without unpacking. */
export function restOf(spec: HeldSpec): SpecRest {
  return spec instanceof PackedSpec ? spec.rest : spec;
}
