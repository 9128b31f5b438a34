import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactPathSchema } from '@gantry/contracts/agents/artifact-upload';

const MAX_DEPTH = 64;
/** What a task left behind is looked at entry by entry; a task that makes more than this wanted to be a nuisance. */
const MAX_ENTRIES = 200_000;

export interface OutputFile {
  /** Relative to /output, forward slashes. */
  readonly path: string;
  readonly absolutePath: string;
  readonly sizeBytes: number;
}

interface SkippedEntry {
  /** Printable form of the name. */
  readonly name: string;
  readonly why: string;
}

export interface OutputListing {
  /** Sorted by path. */
  readonly files: OutputFile[];
  readonly skipped: SkippedEntry[];
}

/**
 * Lists the regular files that a task left in its output folder. Everything in there was written by a stranger: links are never
 * followed, devices, pipes and sockets are left alone, and names that no storage could keep safely are refused.
 */
export async function listOutput(folder: string): Promise<OutputListing> {
  const files: OutputFile[] = [];
  const skipped: SkippedEntry[] = [];
  let entries = 0;

  const visit = async (absolute: string, relative: string, depth: number): Promise<void> => {
    let children: Dirent<Buffer>[];
    try {
      children = await readdir(absolute, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      skipped.push({
        name: printable(relative),
        why: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      });
      return;
    }
    for (const child of children) {
      entries += 1;
      if (entries > MAX_ENTRIES) return;
      const name = child.name.toString('utf8');
      const path = relative === '' ? name : `${relative}/${name}`;
      // A name that is not UTF-8 changes when decoded, and would open another file or none.
      if (!Buffer.from(name, 'utf8').equals(child.name)) {
        skipped.push({ name: printable(path), why: 'its name is not UTF-8' });
      } else if (child.isSymbolicLink()) {
        skipped.push({ name: printable(path), why: 'it is a symbolic link' });
      } else if (child.isDirectory()) {
        if (depth >= MAX_DEPTH)
          skipped.push({ name: printable(path), why: `it is nested more than ${MAX_DEPTH} levels deep` });
        else await visit(join(absolute, name), path, depth + 1);
      } else if (!child.isFile()) {
        skipped.push({ name: printable(path), why: 'it is not a regular file' });
      } else if (!artifactPathSchema.safeParse(path).success) {
        skipped.push({
          name: printable(path),
          why: 'its name is not allowed (no back-slashes, at most 1,024 characters)',
        });
      } else {
        const { size } = await lstat(join(absolute, name));
        files.push({ path, absolutePath: join(absolute, name), sizeBytes: size });
      }
    }
  };

  await visit(folder, '', 0);
  if (entries > MAX_ENTRIES)
    skipped.push({ name: '/output', why: `it holds more than ${MAX_ENTRIES} entries; the rest was not looked at` });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, skipped };
}

/** Bytes that really lie on the disk below a folder (a sparse file counts what it occupies). */
export async function occupiedBytes(folder: string): Promise<number> {
  let bytes = 0;
  let entries = 0;
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined && entries < MAX_ENTRIES; next = pending.pop()) {
    const children = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const child of children) {
      entries += 1;
      const path = join(next, child.name);
      if (child.isDirectory()) pending.push(path);
      else if (child.isFile())
        bytes += await lstat(path).then(
          (stat) => stat.blocks * 512,
          () => 0,
        );
    }
  }
  return bytes;
}

function printable(name: string): string {
  const shown = JSON.stringify(name).slice(1, -1);
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
