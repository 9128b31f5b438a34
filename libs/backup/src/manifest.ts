import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GantryError } from '@gantry/kernel/gantry-error';
import { z } from 'zod';

const MANIFEST = 'manifest.json';

const fileSchema = z.object({
  file: z.string().refine((name) => name === basename(name)),
  bytes: z.int(),
  sha256: z.string(),
});

const streamBackupSchema = fileSchema.extend({
  name: z.string(),
  messages: z.int(),
  firstSequence: z.int(),
  lastSequence: z.int(),
  consumers: z.int(),
  /** The broker's own words for the stream, handed back to it as they are. */
  config: z.record(z.string(), z.unknown()),
  state: z.record(z.string(), z.unknown()),
});
export type StreamBackup = z.infer<typeof streamBackupSchema>;

const tableBackupSchema = fileSchema.extend({ name: z.string(), create: z.string() });
export type TableBackup = z.infer<typeof tableBackupSchema>;

const manifestSchema = z.object({
  format: z.literal(1),
  createdAt: z.string(),
  brokerVersion: z.string(),
  /** True: the numbers of the streams are what the snapshots hold; false: what the broker had when it began with each. */
  verified: z.boolean().default(false),
  /** In the order in which they were read: see the ADR for what that order guarantees. */
  streams: z.array(streamBackupSchema),
  /** Null: left out; ClickHouse is then filled from the streams. */
  clickhouse: z.object({ database: z.string(), tables: z.array(tableBackupSchema) }).nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export function writeManifest(folder: string, manifest: Manifest): void {
  const text = JSON.stringify(manifest, null, 2);
  writeFileSync(join(folder, MANIFEST), text);
  writeFileSync(join(folder, `${MANIFEST}.sha256`), `${sha256(text)}  ${MANIFEST}\n`);
}

/** The manifest of a whole, undamaged backup; every byte is read. */
export async function readVerifiedBackup(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder);
  for (const { file, bytes, sha256: expected } of [...manifest.streams, ...(manifest.clickhouse?.tables ?? [])]) {
    const found = await fingerprint(join(folder, file)).catch((cause: unknown) => {
      throw damaged(folder, `${file} cannot be read`, cause);
    });
    if (found.bytes !== bytes || found.sha256 !== expected) throw damaged(folder, `${file} was changed or cut`);
  }
  return manifest;
}

export async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function readManifest(folder: string): Manifest {
  let text: string;
  let sum: string;
  try {
    text = readFileSync(join(folder, MANIFEST), 'utf8');
    sum = readFileSync(join(folder, `${MANIFEST}.sha256`), 'utf8');
  } catch (cause) {
    throw new GantryError(
      'BACKUP.NOT_FOUND',
      'not_found',
      `${folder} holds no complete backup. Name the folder that gantry admin backup wrote.`,
      { cause },
    );
  }
  if (!sum.startsWith(sha256(text))) throw damaged(folder, `${MANIFEST} was changed`);
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new GantryError(
    'BACKUP.OTHER_FORMAT',
    'invalid',
    `${folder} was written by another version of Gantry. Restore it with that version.`,
    { cause: parsed.error },
  );
}

function damaged(folder: string, what: string, cause?: unknown): GantryError {
  return new GantryError(
    'BACKUP.DAMAGED',
    'invalid',
    `The backup ${folder} is damaged: ${what}. Nothing was restored. Use another backup.`,
    { cause },
  );
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
