import { benches } from '../benches/benches.js';

/** One bench in a process of its own: nothing of an earlier one is left in memory, and a failing one takes no other with it. */
const { name, quick, profileFolder } = JSON.parse(process.env['GANTRY_BENCH'] ?? '') as {
  name: string;
  quick: boolean;
  profileFolder?: string;
};
for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(event, () => process.exit(1));

function say(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });
}

const bench = benches.find((candidate) => candidate.name === name);
try {
  if (bench === undefined) throw new Error(`There is no bench "${name}".`);
  const result = await bench.run({
    quick,
    profileFolder,
    log: (text) => void say({ type: 'log', text }),
  });
  await say({ type: 'result', result });
  process.exit(0);
} catch (error) {
  await say({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exit(1);
}
