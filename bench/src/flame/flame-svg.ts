import type { FlameFrame, FrameKind } from './flame-tree.js';

const WIDTH = 1_200;
const ROW = 17;
const HEAD = 46;
const LETTER = 6.4;
/** Narrower frames are left out; pixels. */
const NARROWEST = 1.2;
/** Rows: below them are hardly ever more than the loading of modules by modules. */
const DEEPEST = 32;

const colours: Readonly<Record<FrameKind, { fill: string; says: string }>> = {
  own: { fill: '#f4a259', says: 'this repository' },
  package: { fill: '#8cb369', says: 'packages' },
  node: { fill: '#9db4c0', says: 'Node' },
  engine: { fill: '#cfcfcf', says: 'V8 and the system' },
};

/** One picture that needs nothing else: a frame's width is its share of the busy time, what it called hangs below it. */
export function flameSvg(title: string, root: FlameFrame): string {
  const rectangles: string[] = [];
  let deepest = 0;
  const draw = (frame: FlameFrame, x: number, depth: number): void => {
    const width = (frame.micros / root.micros) * WIDTH;
    if (width < NARROWEST || depth >= DEEPEST) return;
    deepest = Math.max(deepest, depth);
    rectangles.push(rectangle(frame, x, HEAD + depth * ROW, width, (frame.micros / root.micros) * 100));
    let at = x;
    for (const child of [...frame.children].sort((a, b) => b.micros - a.micros)) {
      draw(child, at, depth + 1);
      at += (child.micros / root.micros) * WIDTH;
    }
  };
  if (root.micros > 0) draw(root, 0, 0);
  const height = HEAD + (deepest + 1) * ROW + 4;
  const seconds = (root.micros / 1e6).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="4" y="16" font-size="14">${escaped(`${title}: ${seconds} s of work`)}</text>`,
    ...Object.values(colours).map(
      ({ fill, says }, index) =>
        `<rect x="${4 + index * 150}" y="24" width="11" height="11" fill="${fill}"/><text x="${20 + index * 150}" y="34">${says}</text>`,
    ),
    ...rectangles,
    '</svg>',
    '',
  ].join('\n');
}

function rectangle({ name, place, kind }: FlameFrame, x: number, y: number, width: number, percent: number): string {
  const letters = Math.floor((width - 5) / LETTER);
  const text = letters < 3 ? '' : name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
  const label = text === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(text)}</text>`;
  const says = escaped(`${name}${place === '' ? '' : ` (${place})`}: ${percent.toFixed(1)} %`);
  const box = `x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}"`;
  return `<g><title>${says}</title><rect ${box} fill="${colours[kind].fill}"/>${label}</g>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
