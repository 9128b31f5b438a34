import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface GpuProcess {
  readonly gpuId: string;
  readonly pid: number;
}

/** Without a loaded driver a one-shot call takes seconds. */
const ANSWER_MS = 30_000;
const run = promisify(execFile);

/** Lines of `nvidia-smi --query-compute-apps=gpu_uuid,pid --format=csv,noheader`; whatever else the tool says is skipped. */
export function parseGpuProcesses(text: string): GpuProcess[] {
  return text.split('\n').flatMap((line) => {
    const [, gpuId, pid] = /^\s*((?:GPU|MIG)-[^,\s]+),\s*(\d+)\s*$/.exec(line) ?? [];
    return gpuId === undefined ? [] : [{ gpuId, pid: Number(pid) }];
  });
}

/** Compute programs on the devices of this machine, by process id of the machine. Rejects if the tool does not answer. */
export async function listGpuProcesses(command = 'nvidia-smi'): Promise<GpuProcess[]> {
  const { stdout } = await run(command, ['--query-compute-apps=gpu_uuid,pid', '--format=csv,noheader'], {
    timeout: ANSWER_MS,
  });
  return parseGpuProcesses(stdout);
}
