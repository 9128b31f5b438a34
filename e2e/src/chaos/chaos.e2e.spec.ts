import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { describe, expect, it } from 'vitest';
import { breakAgent, breakages } from './broken-agent.js';
import { runChaos } from './chaos-run.js';
import { showing } from './showing-breakage.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('chaos, the short form', () => {
  it('loses, doubles and forgets nothing while parts are killed, frozen and cut off', async () => {
    const lines: string[] = [];
    const report = await runChaos({
      seed: 11,
      tasks: 40,
      faults: 8,
      spacing: 1_500,
      leaseMs: 15_000,
      containers: 25,
      patienceMs: 90_000,
      kinds: ['kill', 'freeze', 'cut'],
      brief: true,
      say: (line) => lines.push(line),
    });
    expect(report.verdict.violations, lines.join('\n')).toEqual([]);
    expect(report.submitted).toBe(40);
    expect(report.faults).toHaveLength(8);
    expect(report.verdict.looked.tasks).toBe(40);
    expect(report.verdict.looked.attempts).toBeGreaterThanOrEqual(38);
  });

  it('is noticed by the checker when agents do not keep to their lease', async () => {
    const lines: string[] = [];
    const { verdict } = await runChaos({
      seed: 3,
      tasks: 8,
      faults: 1,
      spacing: 1_500,
      leaseMs: 15_000,
      containers: 0,
      patienceMs: 90_000,
      say: (line) => lines.push(line),
      breakage: 'fencing',
      ...showing.fencing,
      hitAgents: ['agent-3'],
    });
    expect(
      verdict.violations.map(({ rule }) => rule),
      lines.join('\n'),
    ).toContain('no-overlap');
  });

  it.each(breakages)('can break an agent on purpose: %s', (breakage) => {
    const main = breakAgent(root, temporaryFolder('gantry-broken'), breakage);
    const compiled = (folder: string): string[] =>
      ['domain/lease.js', 'keeper/lease-keeper.js'].map((file) => fs.readFileSync(path.join(folder, file), 'utf8'));
    const [good, broken] = [path.join(root, 'agents/worker/dist'), path.dirname(main)].map(compiled);
    expect(broken).not.toEqual(good);
  });
});
