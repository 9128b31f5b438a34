import { expect, it } from 'vitest';
import { flameSvg } from './flame-svg.js';
import { flameTree, placeOf } from './flame-tree.js';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });
const own = 'file:///home/somebody/gantry/services/tasks/dist/main.js';
const profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 3, 4, 6] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('take<T>', own, 9), children: [5] },
    { id: 4, callFrame: frame('take<T>', own, 9), children: [7] },
    { id: 5, callFrame: frame('parse', 'file:///home/somebody/gantry/node_modules/zod/v4/core.js', 4) },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('parse', 'file:///home/somebody/gantry/node_modules/zod/v4/core.js', 4) },
  ],
  samples: [2, 3, 5, 4, 7, 6, 2],
  timeDeltas: [0, 1_000, 10, 20, 30, 40, 50],
};

it('adds up equal stacks and leaves idle time out', () => {
  const root = flameTree(profile);
  expect(root.micros).toBe(10 + 20 + 30 + 40 + 50);
  expect(root.children.map(({ name, micros }) => [name, micros])).toEqual([
    ['take<T>', 100],
    ['(garbage collector)', 50],
  ]);
  expect(root.children[0]?.children).toEqual([
    { name: 'parse', place: 'zod/v4/core.js:5', kind: 'package', micros: 60, children: [] },
  ]);
});

it('names places without the machine they were on', () => {
  expect(placeOf(own, 9)).toEqual({ place: 'services/tasks/dist/main.js:10', kind: 'own' });
  expect(placeOf('node:internal/timers', 0)).toEqual({ place: 'node:internal/timers:1', kind: 'node' });
  expect(placeOf('/opt/elsewhere/program.js', 0)).toEqual({ place: 'program.js:1', kind: 'own' });
  const picture = flameSvg('tasks', flameTree(profile));
  expect(picture).toContain('take&lt;T&gt; (services/tasks/dist/main.js:10): 66.7 %');
  expect(picture).not.toContain('somebody');
});

it('draws a profile in which nothing ran', () => {
  expect(flameSvg('idle', flameTree({ nodes: [], samples: [], timeDeltas: [] }))).toContain('0.0 s of work');
});
