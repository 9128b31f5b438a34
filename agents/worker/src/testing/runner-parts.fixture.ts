import { join } from 'node:path';
import { logChunkSchema, type LogLine } from '@gantry/contracts/agents/log-chunk';
import type { ReportBody } from '@gantry/contracts/agents/report';
import type { AssignEventData } from '@gantry/contracts/scheduling/assign-events';
import { taskSpecSchema } from '@gantry/contracts/tasks/task-spec';
import { systemClock } from '@gantry/kernel/clock';
import { createLogger } from '@gantry/nest-platform/logger';
import { AgentStore } from '../session/agent-store.js';
import { ArtifactUploader } from '../session/artifact.uploader.js';
import { systemBootClock } from '../session/boot-clock.js';
import { DeviceClaims } from '../session/device-claims.js';
import { GpuCustody } from '../session/gpu-custody.js';
import type { OutgoingChunk } from '../session/log-chunk.publisher.js';
import { LogPipeline } from '../session/log-pipeline.js';
import type { RunnerParts } from '../session/runner-parts.js';
import { StartSlots } from '../session/start-slots.js';

const logger = createLogger('test', { level: 'silent', format: 'json' });
const nobodyStores = (): Promise<never> => Promise.reject(new Error('no files are expected'));
const failLoudly = (error: unknown): never => {
  throw error;
};

/** For a simulated runtime. */
export function simulatedAssignment(durationMs: number, exitCode = 0, taskId = 't'): AssignEventData<'TaskAssigned'> {
  return {
    taskId,
    attempt: 1,
    ownerId: 'u',
    spec: taskSpecSchema.parse({
      name: 't',
      image: 'i',
      queue: 'simulated',
      labels: { 'simulated-ms': String(durationMs), 'simulated-exit-code': String(exitCode) },
    }),
    workerId: 'w',
    workerName: 'w',
    gpuIds: [],
    leaseMs: 60_000,
    assignedAt: 0,
  };
}

type Given = Pick<RunnerParts, 'runtime' | 'openLog' | 'onDone'> & Partial<RunnerParts>;

/** All that attempts share, with everything real but the broker; reports are kept in `reports`. */
export function runnerParts(folder: string, reports: ReportBody[], given: Given): RunnerParts {
  return {
    store: new AgentStore(folder, undefined, 0, failLoudly),
    reports: {
      send: (_of, report) => {
        reports.push(report);
        return Promise.resolve();
      },
    },
    uploader: new ArtifactUploader({ putChunk: nobodyStores, commit: nobodyStores }, logger),
    slots: new StartSlots(1),
    gpus: new GpuCustody({
      claims: new DeviceClaims(join(folder, 'gpu-claims.json'), failLoudly),
      holders: { find: () => Promise.resolve(new Map()) },
      devices: () => [],
      onFreed: () => undefined,
      logger,
      signal: new AbortController().signal,
    }),
    clock: systemClock,
    bootClock: systemBootClock,
    logger,
    isLeaseOver: () => false,
    measuredUsage: () => undefined,
    ...given,
  };
}

/** The log of a simulated task; its lines are kept in `lines`. */
export function logInto(lines: LogLine[]): Promise<LogPipeline> {
  const send = (chunk: OutgoingChunk): Promise<void> => {
    lines.push(...logChunkSchema.parse(JSON.parse(new TextDecoder().decode(chunk.payload))).lines);
    chunk.onStored();
    return Promise.resolve();
  };
  const output = { send, drain: () => Promise.resolve() };
  const of = { taskId: 't', attempt: 1, workerId: 'w' };
  return Promise.resolve(
    new LogPipeline({ ...of, linesPerSecond: 0, output, now: () => Date.now(), save: () => true }),
  );
}
