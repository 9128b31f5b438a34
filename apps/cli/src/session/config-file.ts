import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const configSchema = z.object({ apiUrl: z.string(), apiKey: z.string(), email: z.string() });
export type Config = z.infer<typeof configSchema>;

export function readConfig(file: string): Config | undefined {
  if (!fs.existsSync(file)) return undefined;
  const parsed = configSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file} is damaged. Remove it and log in again: gantry login`);
  return parsed.data;
}

/** Readable by the owner only: it holds a key. Written aside and renamed, so that a crash leaves the old one. */
export function writeConfig(file: string, config: Config): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(temporary, file);
}

export function removeConfig(file: string): void {
  fs.rmSync(file, { force: true });
}
