import type { SubmitTaskInput, TaskDetailFragment } from '@/gql/graphql';
import { parseArgumentLines, parseCommandLine, quoteCommandLine } from './argv';

export interface Pair {
  key: string;
  value: string;
}

/** The submit form as a person fills it. Numbers may be empty while they type. */
export interface SubmitValues {
  name: string;
  description: string;
  image: string;
  commandMode: 'line' | 'arguments';
  commandLine: string;
  commandArguments: string;
  env: Pair[];
  cpu: number | '';
  memoryMb: number | '';
  storageMb: number | '';
  gpuCount: number | '';
  gpuModel: string;
  gpuMemoryMb: number | '';
  tags: string[];
  labels: Pair[];
  workerLabels: Pair[];
  queue: string;
  priority: number | '';
  timeoutSeconds: number | '';
  retries: number | '';
  retryMemoryFactor: number | '';
  retryMemoryMaxMb: number | '';
  leaseSeconds: number | '';
  network: 'none' | 'bridge';
}

export const emptySubmitValues: SubmitValues = {
  name: '',
  description: '',
  image: '',
  commandMode: 'line',
  commandLine: '',
  commandArguments: '',
  env: [],
  cpu: 1,
  memoryMb: 256,
  storageMb: 1024,
  gpuCount: 0,
  gpuModel: '',
  gpuMemoryMb: '',
  tags: [],
  labels: [],
  workerLabels: [],
  queue: 'default',
  priority: 0,
  timeoutSeconds: 3_600,
  retries: 0,
  retryMemoryFactor: '',
  retryMemoryMaxMb: '',
  leaseSeconds: '',
  network: 'none',
};

export function argvOf(values: Pick<SubmitValues, 'commandMode' | 'commandLine' | 'commandArguments'>) {
  return values.commandMode === 'line'
    ? parseCommandLine(values.commandLine)
    : { ok: true as const, argv: parseArgumentLines(values.commandArguments) };
}

/** The form as the API's input. An emptied number is left out, so that the server's default applies. */
export function toSubmitInput(values: SubmitValues, idempotencyKey: string): SubmitTaskInput {
  const argv = argvOf(values);
  return {
    name: values.name.trim(),
    image: values.image.trim(),
    command: argv.ok ? argv.argv : [],
    description: values.description,
    env: filled(values.env),
    resources: {
      ...number('cpu', values.cpu),
      ...number('memoryMb', values.memoryMb),
      ...number('storageMb', values.storageMb),
      gpu: {
        count: values.gpuCount === '' ? 0 : values.gpuCount,
        ...(wantsGpu(values) && values.gpuModel.trim() !== '' ? { model: values.gpuModel.trim() } : {}),
        ...(wantsGpu(values) ? number('memoryMb', values.gpuMemoryMb) : {}),
      },
    },
    tags: values.tags,
    labels: filled(values.labels),
    workerLabels: filled(values.workerLabels),
    ...(values.queue.trim() === '' ? {} : { queue: values.queue.trim() }),
    ...number('priority', values.priority),
    ...number('timeoutSeconds', values.timeoutSeconds),
    ...number('retries', values.retries),
    ...number('retryMemoryFactor', values.retryMemoryFactor),
    ...number('retryMemoryMaxMb', values.retryMemoryMaxMb),
    ...number('leaseSeconds', values.leaseSeconds),
    network: values.network,
    idempotencyKey,
  };
}

/** A finished task's spec, to run it again with changes. */
export function fromTask(task: TaskDetailFragment): SubmitValues {
  const pairs = (entries: readonly Pair[]) => entries.map(({ key, value }) => ({ key, value }));
  return {
    name: task.name,
    description: task.description,
    image: task.image,
    // A line break inside an argument cannot be written one argument a line.
    commandMode: 'line',
    commandLine: quoteCommandLine(task.command),
    commandArguments: task.command.join('\n'),
    env: pairs(task.env),
    cpu: task.resources.cpu,
    memoryMb: task.resources.memoryMb,
    storageMb: task.resources.storageMb,
    gpuCount: task.resources.gpu.count,
    gpuModel: task.resources.gpu.model ?? '',
    gpuMemoryMb: task.resources.gpu.memoryMb ?? '',
    tags: [...task.tags],
    labels: pairs(task.labels),
    workerLabels: pairs(task.workerLabels),
    queue: task.queue,
    priority: task.priority,
    timeoutSeconds: task.timeoutSeconds,
    retries: task.retries,
    retryMemoryFactor: task.retryMemoryFactor ?? '',
    retryMemoryMaxMb: task.retryMemoryMaxMb ?? '',
    leaseSeconds: task.leaseSeconds ?? '',
    network: task.network === 'bridge' ? 'bridge' : 'none',
  };
}

const wantsGpu = (values: SubmitValues) => values.gpuCount !== '' && values.gpuCount > 0;

/** Rows that were added but never written are no entries. */
const filled = (pairs: readonly Pair[]) =>
  pairs.filter((pair) => pair.key !== '' || pair.value !== '').map(({ key, value }) => ({ key: key.trim(), value }));

function number<K extends string>(key: K, value: number | ''): Partial<Record<K, number>> {
  return value === '' ? {} : ({ [key]: value } as Record<K, number>);
}
