import { defineConfig } from 'vitest/config';
import { globalSetup } from '../vitest.shared.ts';

const conditions = ['gantry-source', 'module', 'node', 'import', 'default'];
const resolve = { conditions };
const ssr = { resolve };

/** What mostly waits, for leases to end and for processes to come back: two files at once. */
const resilience = ['src/chaos/*.e2e.spec.ts', 'src/rolling-restart.e2e.spec.ts', 'src/silent-broker.e2e.spec.ts'];
const wholeSystem = { globalSetup: 'src/build-once.ts', testTimeout: 180_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    globalSetup,
    reporters: [
      'verbose',
      ['json', { outputFile: `test-results/${process.env['npm_lifecycle_event'] ?? 'vitest'}.json` }],
    ],
    projects: [
      { resolve, ssr, test: { name: 'unit', include: ['src/**/*.unit.spec.ts'] } },
      {
        resolve,
        ssr,
        // File by file: each starts the whole system and keeps it busy.
        test: {
          name: 'e2e',
          include: ['src/**/*.e2e.spec.ts'],
          exclude: resilience,
          fileParallelism: false,
          ...wholeSystem,
        },
      },
      { resolve, ssr, test: { name: 'resilience', include: resilience, maxWorkers: 2, ...wholeSystem } },
    ],
  },
});
