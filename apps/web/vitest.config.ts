import { fileURLToPath } from 'node:url';
import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

const alias = { '@': fileURLToPath(new URL('./src', import.meta.url)) };

/** The shared projects, plus the `@/` alias that Next reads from tsconfig. */
export default mergeConfig(shared, {
  test: {
    projects: shared.test?.projects?.map((project) =>
      typeof project === 'object' ? mergeConfig(project, { resolve: { alias } }) : project,
    ),
  },
});
