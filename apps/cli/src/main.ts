import { GantryError } from '@gantry/kernel/gantry-error';
import pc from 'picocolors';
import { readEnvironment } from './environment.js';
import { exitCodeOfError } from './output/exit-code.js';
import { createProgram } from './program.js';

// `gantry list | head` closes the pipe early; that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

try {
  await createProgram(readEnvironment()).parseAsync();
} catch (error) {
  if (error instanceof GantryError) {
    console.error(`${pc.red('error')} ${error.message} ${pc.dim(`[${error.code}]`)}`);
    for (const { path, message } of error.fields ?? []) console.error(`  ${path}: ${message}`);
    process.exitCode = exitCodeOfError[error.kind];
  } else {
    console.error(`${pc.red('error')} ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 70;
  }
}
