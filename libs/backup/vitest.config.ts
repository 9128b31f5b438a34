import { suites } from '../../vitest.shared.ts';

export default suites({ ownProcess: true });
