import Anser from 'anser';

export interface LogSegment {
  readonly text: string;
  /** CSS class names of the colours and decorations; never markup from the log. */
  readonly className: string;
  readonly color?: string;
  readonly background?: string;
  /** Part of a search match. */
  readonly match: boolean;
}

const TRUE_COLOUR = 'ansi-truecolor';
const ESCAPE = '\u001b';
/* eslint-disable no-control-regex -- removing what a terminal would act on is the point */
// CSI sequences, OSC sequences (titles, links) and two-byte escapes: ECMA-48 sections 5.3-5.6.
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const NOT_COLOUR = /\u001b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g;
/* eslint-enable no-control-regex */

/** What a person would read on a terminal: a progress bar that redraws its line shows its last state. */
function lastDrawn(text: string): string {
  const trimmed = text.endsWith('\r') ? text.slice(0, -1) : text;
  const at = trimmed.lastIndexOf('\r');
  return at < 0 ? trimmed : trimmed.slice(at + 1);
}

/** The line without colours and control characters: what is searched. */
export function plainText(text: string): string {
  const drawn = text.includes('\r') ? lastDrawn(text) : text;
  return (drawn.includes(ESCAPE) ? drawn.replace(SEQUENCES, '').replaceAll(ESCAPE, '') : drawn).replace(CONTROLS, '');
}

/** The line as coloured pieces, with the matches of `search` (case-insensitive) cut out. */
export function segmentsOf(text: string, search: string): LogSegment[] {
  const coloured = text.includes(ESCAPE) ? colouredParts(lastDrawn(text)) : [{ text: plainText(text), className: '' }];
  if (search === '') return coloured.map((part) => ({ ...part, match: false }));
  const ranges = matchRanges(coloured.map((part) => part.text).join(''), search);
  return coloured.flatMap((part, index) => {
    const start = coloured.slice(0, index).reduce((sum, before) => sum + before.text.length, 0);
    return cut(part, start, ranges);
  });
}

type ColouredPart = Omit<LogSegment, 'match'>;

function colouredParts(text: string): ColouredPart[] {
  const entries = Anser.ansiToJson(text.replace(NOT_COLOUR, ''), { json: true, use_classes: true, remove_empty: true });
  return entries.map((entry) => {
    const names = [
      entry.fg ?? '',
      entry.bg ? `${entry.bg}-background` : '',
      ...entry.decorations.map((name) => `ansi-${name}`),
    ];
    // Anser leaves the last true colour behind, so it counts only where the name says so.
    const color = entry.fg === TRUE_COLOUR ? rgb(entry.fg_truecolor) : paletteColour(entry.fg);
    const background = entry.bg === TRUE_COLOUR ? rgb(entry.bg_truecolor) : paletteColour(entry.bg);
    return {
      text: entry.content.replaceAll(ESCAPE, '').replace(CONTROLS, ''),
      className: names.filter((name) => /^ansi-[a-z-]+$/.test(name) && !name.startsWith(TRUE_COLOUR)).join(' '),
      ...(color === undefined ? {} : { color }),
      ...(background === undefined ? {} : { background }),
    };
  });
}

/** Only three numbers get into a style. */
function rgb(value: string): string | undefined {
  const parts = value.split(',').map(Number);
  return parts.length === 3 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
    ? `rgb(${parts.join(' ')})`
    : undefined;
}

/** `ansi-palette-208`: xterm's 6x6x6 cube and grey ramp (16-255); the first 16 come as names. */
function paletteColour(name: string | null): string | undefined {
  const index = Number(/^ansi-palette-(\d+)$/.exec(name ?? '')?.[1] ?? Number.NaN);
  if (!Number.isInteger(index) || index < 16 || index > 255) return undefined;
  if (index >= 232)
    return `rgb(${Array<number>(3)
      .fill((index - 232) * 10 + 8)
      .join(' ')})`;
  const level = (step: number) => (step === 0 ? 0 : step * 40 + 55);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

function matchRanges(text: string, search: string): [number, number][] {
  const haystack = text.toLowerCase();
  const needle = search.toLowerCase();
  // A few characters change length in lower case; then positions would be wrong, so nothing is marked.
  if (haystack.length !== text.length) return [];
  const ranges: [number, number][] = [];
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + needle.length)) {
    ranges.push([at, at + needle.length]);
  }
  return ranges;
}

function cut(part: ColouredPart, start: number, ranges: readonly [number, number][]): LogSegment[] {
  const pieces: LogSegment[] = [];
  let position = 0;
  for (const [from, to] of ranges) {
    const low = Math.max(position, from - start);
    const high = Math.min(part.text.length, to - start);
    if (high <= low) continue;
    if (low > position) pieces.push({ ...part, text: part.text.slice(position, low), match: false });
    pieces.push({ ...part, text: part.text.slice(low, high), match: true });
    position = high;
  }
  if (position < part.text.length || pieces.length === 0)
    pieces.push({ ...part, text: part.text.slice(position), match: false });
  return pieces;
}
