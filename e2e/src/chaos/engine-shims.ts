import fs from 'node:fs';
import path from 'node:path';

/**
 * After the run, when the engine is gone: an engine that was killed while it made a container forgets the process that was to look
 * after it, and what that had begun.
 */
export function endShims(engineFolder: string): void {
  const socket = path.join(engineFolder, 'exec/containerd/containerd.sock');
  const processes = fs.readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const [, parent = ''] = /^PPid:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/${name}/status`, 'utf8')) ?? [];
      return [{ pid: Number(name), parent: Number(parent), isShim: words.includes(socket) }];
    } catch {
      // It ended while it was looked at.
      return [];
    }
  });
  const shims = new Set(processes.filter(({ isShim }) => isShim).map(({ pid }) => pid));
  for (const { pid, parent } of processes) {
    if (!shims.has(pid) && !shims.has(parent)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
