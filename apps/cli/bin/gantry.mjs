#!/usr/bin/env node
import fs from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (fs.existsSync(program)) {
  await import(program.href);
} else {
  console.error('The gantry command is not built yet. Run "npm start" (or "npm run build") in the repository once.');
  process.exitCode = 1;
}
