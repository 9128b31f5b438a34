import { defineConfig } from 'vitest/config';

/** The whole system is started per file, so files run one after the other. */
export default defineConfig({
  resolve: { conditions: ['gantry-source', 'module', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['gantry-source', 'module', 'node', 'import', 'default'] } },
  test: {
    include: ['src/**/*.e2e.spec.ts'],
    reporters: ['verbose', ['json', { outputFile: 'test-results/test-e2e.json' }]],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
