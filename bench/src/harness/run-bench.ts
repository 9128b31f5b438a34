import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchResult } from './bench.port.js';

export interface Outcome {
  readonly bench: Bench;
  readonly seconds: number;
  readonly result: BenchResult | undefined;
  readonly failure: string | undefined;
}

export interface RunOptions {
  readonly quick: boolean;
  readonly profileFolder: string | undefined;
  readonly log: (text: string) => void;
}

const KILL_GRACE_MS = 15_000;

/** Runs a bench in a process of its own. Never rejects: what went wrong is part of the outcome. */
export function runBench(bench: Bench, { quick, profileFolder, log }: RunOptions): Promise<Outcome> {
  const startedAt = performance.now();
  const child = fork(fileURLToPath(new URL('run-one.main.js', import.meta.url)), {
    env: { ...process.env, GANTRY_BENCH: JSON.stringify({ name: bench.name, quick, profileFolder }) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve) => {
    let result: BenchResult | undefined;
    let failure: string | undefined;
    const limit = setTimeout(() => {
      failure = `took longer than ${bench.limitSeconds} s`;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_GRACE_MS).unref();
    }, bench.limitSeconds * 1_000);
    child.on('message', (message: { type: string; text?: string; message?: string; result?: BenchResult }) => {
      if (message.type === 'log') log(message.text ?? '');
      if (message.type === 'result') result = message.result;
      if (message.type === 'failed') failure ??= message.message;
    });
    child.once('exit', (code) => {
      clearTimeout(limit);
      if (result === undefined) failure ??= `ended with code ${code} and no result`;
      resolve({ bench, seconds: (performance.now() - startedAt) / 1_000, result, failure });
    });
  });
}
