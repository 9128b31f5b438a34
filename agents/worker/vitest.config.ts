import { suites } from '../../vitest.shared.ts';

export default suites({ atOnce: 2 });
