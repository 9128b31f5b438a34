import { writeFileSync } from 'node:fs';
import { OutputSpooler } from './output-spooler.js';
import { SandboxProcesses } from './sandbox-processes.js';
import type { SpoolerMessage, SpoolerRequest } from './spooler-messages.js';

/** The spooler's process: starts the sandboxes and keeps what they print. Imports little but Node, so that it is small. */
try {
  // What it holds is lost with it: it must be there on a machine that is short of memory. A sandbox takes its agent's score again.
  writeFileSync('/proc/self/oom_score_adj', '-900');
} catch {
  // Not root: it is as safe as its agent.
}

const tell = (message: SpoolerMessage): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};
const sandboxes = new SandboxProcesses();
const spooler = new OutputSpooler(tell, () => process.exit(0));

async function start({ folder, command, limitBytes }: SpoolerRequest & { type: 'start' }): Promise<void> {
  try {
    spooler.open(folder, limitBytes);
  } catch {
    const problem = `The output cannot be kept in ${folder}. Look whether the disk is full.`;
    tell({ type: 'failed', folder, problem });
    return;
  }
  try {
    const { pid, stdout, stderr } = await sandboxes.start(folder, command, (end) =>
      tell({ type: 'ended', folder, ...end }),
    );
    spooler.keep(folder, 'stdout', stdout);
    spooler.keep(folder, 'stderr', stderr);
    tell({ type: 'started', folder, pid, at: Date.now() });
  } catch (error) {
    spooler.cancel(folder);
    tell({ type: 'failed', folder, problem: (error as Error).message });
  }
}

function leave(): void {
  sandboxes.killAll();
  spooler.leave();
}

process.on('message', (message: unknown) => {
  const request = message as SpoolerRequest;
  if (request.type === 'start') void start(request);
  // What a signal does not reach is killed when its grace is over.
  else sandboxes.signal(request.folder, request.signal).catch(() => undefined);
});
process.once('disconnect', leave);
tell({ type: 'ready' });
// The agent may have died before anybody listened for that.
if (!process.connected) leave();
