import { fileURLToPath } from 'node:url';
import swc from 'unplugin-swc';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

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
export const globalSetup = fileURLToPath(new URL('libs/testing/src/temporary-root.ts', import.meta.url));

interface Integration {
  /** A process for each file: what a native library keeps of its first use, such as the one folder of a ClickHouse engine, ends with it. */
  ownProcess?: boolean;
  /** Files at once. More than one only where tests wait for leases, restarts and retries instead of computing. */
  atOnce?: number;
}

/**
 * One configuration for every package. `unit` (with properties) needs nothing but Node; `int` starts real servers
 * (nats-server, ClickHouse, Docker) and so has longer limits. Files share what they import: loading Nest and GraphQL anew for each
 * took more of the processor than their tests did.
 */
export const suites = ({ ownProcess = false, atOnce = 1 }: Integration = {}) =>
  defineConfig({
    test: {
      passWithNoTests: true,
      globalSetup,
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
          test: {
            name: 'unit',
            include: ['src/**/*.{unit,prop}.spec.ts'],
            testTimeout: 30_000,
            pool: 'threads',
            isolate: false,
          },
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
            isolate: ownProcess,
            maxWorkers: atOnce,
            fileParallelism: atOnce > 1,
          },
        },
      ],
    },
  });

export default suites();
