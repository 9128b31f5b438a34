import { createTheme, type MantineColorsTuple } from '@mantine/core';

const harbor: MantineColorsTuple = [
  '#e8f3fb',
  '#cfe4f4',
  '#a1c9e8',
  '#6dacdb',
  '#4a9ad6',
  '#2b84c8',
  '#1c73b4',
  '#14639d',
  '#0f5487',
  '#0a4470',
];
const dark: MantineColorsTuple = [
  '#dfe4eb',
  '#b9c2cf',
  '#97a2b2',
  '#6c7787',
  '#3a4350',
  '#2b333f',
  '#1f262f',
  '#181d25',
  '#11151b',
  '#0b0e12',
];

/** Contrast of text was measured for both schemes: shade 7 (light) and 6 (dark) carry white text at more than 4.5:1. */
export const theme = createTheme({
  primaryColor: 'harbor',
  primaryShade: { light: 7, dark: 6 },
  colors: { harbor, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, "Cascadia Mono", "Roboto Mono", Menlo, Consolas, "Liberation Mono", monospace',
  headings: {
    fontWeight: '620',
    sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.3' }, h2: { fontSize: '1rem', lineHeight: '1.4' } },
  },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
});
