import type { Artifact } from '@gantry/contracts/tasks/task-status';
import type { TaskView } from '@gantry/contracts/tasks/task-view';

export interface KeyValue {
  key: string;
  value: string;
}

/** A task as GraphQL serves it; `view` stays inside for the fields that are resolved on demand. */
export type TaskNode = ReturnType<typeof makeNode>;

const nodes = new WeakMap<TaskView, TaskNode>();

/** One view goes to many subscribers: it is converted once. */
export function taskNode(view: TaskView): TaskNode {
  const known = nodes.get(view);
  if (known !== undefined) return known;
  const node = makeNode(view);
  nodes.set(view, node);
  return node;
}

export function artifactUrl(taskId: string, artifactId: string): string {
  return `/api/tasks/${taskId}/files/${encodeURIComponent(artifactId)}`;
}

export function artifactNode(taskId: string, artifact: Artifact) {
  return { ...artifact, url: artifactUrl(taskId, artifact.id) };
}

export function keyValues(record: Readonly<Record<string, string>>): KeyValue[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}

function makeNode(view: TaskView) {
  const { spec, artifacts, ...rest } = view;
  return {
    ...rest,
    view,
    name: spec.name,
    description: spec.description,
    image: spec.image,
    command: spec.command,
    env: keyValues(spec.env),
    resources: spec.resources,
    tags: spec.tags,
    labels: keyValues(spec.labels),
    workerLabels: keyValues(spec.workerLabels),
    queue: spec.queue,
    priority: spec.priority,
    timeoutSeconds: spec.timeoutSeconds,
    retries: spec.retries,
    retryMemoryFactor: spec.retryMemoryFactor,
    retryMemoryMaxMb: spec.retryMemoryMaxMb,
    leaseSeconds: spec.leaseSeconds,
    network: spec.network,
    artifacts: artifacts.map((artifact) => artifactNode(view.id, artifact)),
  };
}
