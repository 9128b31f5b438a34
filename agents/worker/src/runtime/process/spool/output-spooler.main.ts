import { writeFileSync } from 'node:fs';
import { OutputSpooler } from './output-spooler.js';
import type { SpoolerMessage } from './spooler-messages.js';

/** The spooler's process: `node output-spooler.main.js <socket>`. Imports little but Node, so that it is small. */
const [path = ''] = process.argv.slice(2);

try {
  // What it holds is lost with it: it must be there on a machine that is short of memory.
  writeFileSync('/proc/self/oom_score_adj', '-900');
} catch {
  // Not root: it is as safe as its agent.
}

const tell = (message: SpoolerMessage): void => {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};
const spooler = new OutputSpooler(tell, () => process.exit(0));
process.once('disconnect', () => spooler.leave());
await spooler.listen(path);
tell({ type: 'ready' });
// The agent may have died before anybody listened for that.
if (!process.connected) spooler.leave();
