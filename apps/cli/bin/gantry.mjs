#!/usr/bin/env node
import fs from 'node:fs';

// Bundled, with what only administrators need in a chunk of its own: finding and reading some 300 modules took more than half of the time of a command.
const program = new URL('../dist/bundle/gantry.js', import.meta.url);
if (fs.existsSync(program)) {
  await import(program.href);
} else {
  console.error('The gantry command is not built yet. Run "npm start" (or "npm run build") in the repository once.');
  process.exitCode = 1;
}
