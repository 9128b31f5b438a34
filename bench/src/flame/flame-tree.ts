import { z } from 'zod';

/** What `node --cpu-prof` writes, as far as it is looked at. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
});
type CpuProfile = z.infer<typeof profileSchema>;
type ProfileNode = CpuProfile['nodes'][number];

export type FrameKind = 'own' | 'package' | 'node' | 'engine';

/** A function as it was called from the frames above it, with all that it called. */
export interface FlameFrame {
  readonly name: string;
  /** File and line without anything of the machine; empty for what the engine does by itself. */
  readonly place: string;
  readonly kind: FrameKind;
  /** Microseconds, those of its children included. */
  micros: number;
  readonly children: FlameFrame[];
}

const IDLE = '(idle)';
const PACKAGES = '/node_modules/';
/** Names of the folders below which the repository's own code lies. */
const OWN = /\/((?:services|agents|libs|apps|bench|scripts)\/.+)$/;

/** Where a script is: from its package or from the repository's root on, never from the machine's. */
export function placeOf(url: string, line: number): { place: string; kind: FrameKind } {
  if (url === '') return { place: '', kind: 'engine' };
  const at = line + 1;
  if (url.startsWith('node:')) return { place: `${url}:${at}`, kind: 'node' };
  const inPackages = url.lastIndexOf(PACKAGES);
  if (inPackages >= 0) return { place: `${url.slice(inPackages + PACKAGES.length)}:${at}`, kind: 'package' };
  const own = OWN.exec(url)?.[1] ?? url.slice(url.lastIndexOf('/') + 1);
  return { place: `${own}:${at}`, kind: 'own' };
}

/** The time of a profile by stacks: calls of the same function from the same stack are one frame, and time without work is left out. */
export function flameTree(profileJson: unknown): FlameFrame {
  const { nodes, samples, timeDeltas } = profileSchema.parse(profileJson);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const self = new Map<number, number>();
  samples.forEach((id, index) => {
    // The time between two samples belongs to the first of them.
    self.set(id, (self.get(id) ?? 0) + Math.max(0, timeDeltas[index + 1] ?? 0));
  });
  const root: FlameFrame = { name: 'all', place: '', kind: 'engine', micros: 0, children: [] };
  const [first] = nodes;
  if (first !== undefined) root.micros = addCalls(root, first, byId, self);
  return root;
}

/** Adds what `node` calls to `frame`; answers the time of both. */
function addCalls(
  frame: FlameFrame,
  node: ProfileNode,
  byId: ReadonlyMap<number, ProfileNode>,
  self: ReadonlyMap<number, number>,
): number {
  let micros = self.get(node.id) ?? 0;
  for (const id of node.children) {
    const called = byId.get(id);
    if (called === undefined || called.callFrame.functionName === IDLE) continue;
    const { functionName, url, lineNumber } = called.callFrame;
    const name = functionName === '' ? '(anonymous)' : functionName;
    const { place, kind } = placeOf(url, lineNumber);
    let child = frame.children.find((known) => known.name === name && known.place === place);
    if (child === undefined) frame.children.push((child = { name, place, kind, micros: 0, children: [] }));
    const spent = addCalls(child, called, byId, self);
    child.micros += spent;
    micros += spent;
  }
  return micros;
}
