import swc from 'unplugin-swc';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * One configuration for every package. `unit` (with properties) needs nothing but Node; `int` starts real servers
 * (nats-server, ClickHouse, Docker) and so runs file by file with longer limits.
 */
const plugins = () => [
  swc.vite({
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
  }),
];
/** `import` and `require` are left to Vite: forcing either gives CommonJS packages the wrong build. */
const conditions = ['gantry-source', ...defaultServerConditions];
const resolve = { conditions };
const ssr = { resolve };

export default defineConfig({
  test: {
    passWithNoTests: true,
    // Kept as an Nx output, so that a cached run still counts its tests.
    reporters: [
      'default',
      ['json', { outputFile: `test-results/${process.env['npm_lifecycle_event'] ?? 'vitest'}.json` }],
    ],
    projects: [
      {
        plugins: plugins(),
        resolve,
        ssr,
        test: { name: 'unit', include: ['src/**/*.{unit,prop}.spec.ts'], testTimeout: 30_000 },
      },
      {
        plugins: plugins(),
        resolve,
        ssr,
        test: {
          name: 'int',
          include: ['src/**/*.int.spec.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
