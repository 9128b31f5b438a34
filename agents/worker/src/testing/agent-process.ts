import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leaseKeeperProgram } from '../keeper/keep-leases.js';
import { spoolerProgram } from '../runtime/process/spool/spooler-link.js';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Where an agent finds its tools. */
export const agentPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Tests that kill an agent need it as a process of its own, as it is installed. */
export function compileAgent(): void {
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: packageFolder, stdio: 'inherit' });
}

/** Programs that an agent starts, for one that runs inside a test. */
export function compiledPrograms(): { leaseKeeper: string; spooler: string } {
  compileAgent();
  const compiled = (file: string): string => file.replace(`${packageFolder}src/`, `${packageFolder}dist/`);
  return { leaseKeeper: leaseKeeperProgram, spooler: compiled(spoolerProgram) };
}

/** `onSpawn`: with the process, before it is ready, which it may never be. */
export async function startAgentProcess(
  environment: Record<string, string>,
  onSpawn: (child: ChildProcess) => void = () => undefined,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [`${packageFolder}/dist/main.js`], {
    env: { PATH: agentPath, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onSpawn(child);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the agent ended with code ${code} before it was ready`)));
  });
  return child;
}

export function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}
