import readline from 'node:readline/promises';
import { Writable } from 'node:stream';
import { GantryError } from '@gantry/kernel/gantry-error';

function requireTerminal(what: string): void {
  if (!process.stdin.isTTY) {
    throw new GantryError(
      'CLI.NO_TERMINAL',
      'invalid',
      `${what} is needed and there is no terminal to ask on. Use the options or GANTRY_EMAIL and GANTRY_PASSWORD.`,
    );
  }
}

export async function ask(question: string): Promise<string> {
  requireTerminal(question);
  const prompt = readline.createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await prompt.question(`${question}: `)).trim();
  } finally {
    prompt.close();
  }
}

/** Asks without showing what is typed. */
export async function askSecret(question: string): Promise<string> {
  requireTerminal(question);
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = readline.createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}

export async function readStandardInput(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) text += String(chunk);
  return text.replace(/\r?\n$/, '');
}
