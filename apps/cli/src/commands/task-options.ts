import type { SubmitTaskInput } from '@gantry/client/gantry-client';
import { GantryError } from '@gantry/kernel/gantry-error';

export interface TaskOptions {
  image: string;
  name?: string;
  description?: string;
  cpu?: string;
  memory?: string;
  storage?: string;
  gpu?: string;
  gpuModel?: string;
  gpuMemory?: string;
  env?: string[];
  tag?: string[];
  label?: string[];
  workerLabel?: string[];
  queue?: string;
  priority?: string;
  timeout?: string;
  retries?: string;
  retryMemoryFactor?: string;
  retryMemoryMax?: string;
  lease?: string;
  network?: string;
  key?: string;
}

const invalid = (option: string, text: string, right: string) =>
  new GantryError('CLI.BAD_OPTION', 'invalid', `${option} is "${text}". Write ${right}.`);

export function parseNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw invalid(option, text, 'a number');
  return value;
}

/** "512", "512m", "2g", "1t" as MiB; a bare number is MiB. */
export function parseMebibytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(k|m|g|t)?(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw invalid(option, text, 'a size such as 512m or 2g');
  const factor = { k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 }[(match[2] ?? 'm').toLowerCase()] ?? 1;
  return Math.ceil(Number(match[1]) * factor);
}

/** "90", "90s", "5m", "2h", "1d" as seconds; a bare number is seconds. */
export function parseSeconds(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|h|d)?$/i.exec(text.trim());
  if (match === null) throw invalid(option, text, 'a time such as 90s, 5m or 2h');
  const factor = { s: 1, m: 60, h: 3_600, d: 86_400 }[(match[2] ?? 's').toLowerCase()] ?? 1;
  return Math.ceil(Number(match[1]) * factor);
}

export function parsePairs(option: string, texts: readonly string[]): { key: string; value: string }[] {
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw invalid(option, text, 'NAME=VALUE');
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
}

/** What was typed, as the API wants it; what was not typed is left to the server's defaults. */
export function toSubmitInput(command: readonly string[], options: TaskOptions): SubmitTaskInput {
  const gpu = options.gpu === undefined ? undefined : parseNumber('--gpu', options.gpu);
  const name = options.name ?? ([options.image, ...command].join(' ').slice(0, 60).trim() || options.image);
  return {
    name,
    image: options.image,
    command: [...command],
    ...(options.description === undefined ? {} : { description: options.description }),
    env: parsePairs('--env', options.env ?? []),
    tags: options.tag ?? [],
    labels: parsePairs('--label', options.label ?? []),
    workerLabels: parsePairs('--worker-label', options.workerLabel ?? []),
    resources: {
      ...(options.cpu === undefined ? {} : { cpu: parseNumber('--cpu', options.cpu) }),
      ...(options.memory === undefined ? {} : { memoryMb: parseMebibytes('--memory', options.memory) }),
      ...(options.storage === undefined ? {} : { storageMb: parseMebibytes('--storage', options.storage) }),
      ...(gpu === undefined
        ? {}
        : {
            gpu: {
              count: gpu,
              ...(options.gpuModel === undefined ? {} : { model: options.gpuModel }),
              ...(options.gpuMemory === undefined
                ? {}
                : { memoryMb: parseMebibytes('--gpu-memory', options.gpuMemory) }),
            },
          }),
    },
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    ...(options.priority === undefined ? {} : { priority: parseNumber('--priority', options.priority) }),
    ...(options.timeout === undefined ? {} : { timeoutSeconds: parseSeconds('--timeout', options.timeout) }),
    ...(options.retries === undefined ? {} : { retries: parseNumber('--retries', options.retries) }),
    ...(options.retryMemoryFactor === undefined
      ? {}
      : { retryMemoryFactor: parseNumber('--retry-memory-factor', options.retryMemoryFactor) }),
    ...(options.retryMemoryMax === undefined
      ? {}
      : { retryMemoryMaxMb: parseMebibytes('--retry-memory-max', options.retryMemoryMax) }),
    ...(options.lease === undefined ? {} : { leaseSeconds: parseSeconds('--lease', options.lease) }),
    ...(options.network === undefined ? {} : { network: options.network }),
    ...(options.key === undefined ? {} : { idempotencyKey: options.key }),
  };
}
