import fs from 'node:fs';
import path from 'node:path';

const COLOURS = [36, 32, 33, 35, 34, 96, 92, 93, 95, 94];

/** Prefixes every line with the part that wrote it, on the terminal (warnings and worse unless verbose) and in one log file. */
export class ConsoleOutput {
  /** @type {Map<string, number>} */
  #colours = new Map();
  #file;
  #verbose;
  /** @type {(name: string, message: unknown) => void} */
  onMessage = () => undefined;

  /** @param {string} folder @param {boolean} verbose */
  constructor(folder, verbose) {
    fs.mkdirSync(folder, { recursive: true });
    this.path = path.join(folder, 'gantry.log');
    this.#file = fs.createWriteStream(this.path, { flags: 'a' });
    this.#verbose = verbose;
  }

  /** @param {string} name @param {string} text */
  line = (name, text) => {
    this.#file.write(`${new Date().toISOString()} ${name} ${text}\n`);
    if (this.#verbose || isImportant(text)) this.#print(name, text);
  };

  /** @param {string} name @param {string} text */
  notice = (name, text) => {
    this.#file.write(`${new Date().toISOString()} ${name} ${text}\n`);
    this.#print(name, text);
  };

  /** @param {string} name @param {unknown} message */
  message = (name, message) => this.onMessage(name, message);

  close() {
    return new Promise((resolve) => this.#file.end(resolve));
  }

  /** @param {string} name @param {string} text */
  #print(name, text) {
    const colour = this.#colours.get(name) ?? COLOURS[this.#colours.size % COLOURS.length] ?? 37;
    this.#colours.set(name, colour);
    const label = name.padEnd(12);
    process.stdout.write(process.stdout.isTTY ? `\u001b[${colour}m${label}\u001b[0m ${text}\n` : `${label} ${text}\n`);
  }
}

const IMPORTANT_LEVELS = new Set(['warn', 'error', 'fatal']);

/** Services log JSON lines with a level; the broker marks `[ERR]` and `[FTL]`, the engine `level=error`. @param {string} text */
function isImportant(text) {
  if (!text.startsWith('{')) return /\[(ERR|FTL)\]|level=(error|fatal)|^(fatal|panic|error)\b/i.test(text);
  try {
    return IMPORTANT_LEVELS.has(JSON.parse(text).level);
  } catch {
    return true;
  }
}
