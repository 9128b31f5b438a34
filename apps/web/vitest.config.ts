import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** The shared configuration, plus the `@/` alias that Next reads from tsconfig. */
const alias = { '@': fileURLToPath(new URL('./src', import.meta.url)) };

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    projects: (shared.test?.projects ?? []).map((project) =>
      typeof project === 'object' && 'resolve' in project
        ? { ...project, resolve: { ...project.resolve, alias } }
        : project,
    ),
  },
});
