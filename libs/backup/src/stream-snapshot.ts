import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { GantryError } from '@gantry/kernel/gantry-error';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';

const CHUNK_BYTES = 128 * 1024;
/** The broker checks a big stream before the first chunk, and unpacks it after the last one. */
const PATIENCE_MS = 10 * 60_000;

/** Settings of a stream by which messages leave it unasked; 0 or less is no limit. */
export const STREAM_LIMITS = ['max_age', 'max_bytes', 'max_msgs', 'max_msgs_per_subject'] as const;

const errorSchema = z.object({ error: z.object({ code: z.number(), description: z.string() }).optional() });
const stateSchema = z.looseObject({
  messages: z.int(),
  first_seq: z.int(),
  last_seq: z.int(),
  consumer_count: z.int().default(0),
});
export type StreamState = z.infer<typeof stateSchema>;
const snapshotSchema = z.object({ config: z.record(z.string(), z.unknown()), state: stateSchema });
export type StreamSnapshot = z.infer<typeof snapshotSchema>;

/**
 * The broker's own snapshot of one stream into a file: messages with their sequences, and the positions of its consumers. The
 * stream can be written meanwhile; what comes after the state that is answered may be in the file as well.
 */
export async function snapshotStream(nc: NatsConnection, name: string, path: string): Promise<StreamSnapshot> {
  const inbox = createInbox();
  const chunks = nc.subscribe(inbox);
  const file = createWriteStream(path);
  try {
    const request = { deliver_subject: inbox, no_consumers: false, jsck: true, chunk_size: CHUNK_BYTES };
    const snapshot = snapshotSchema.parse(await ask(nc, `$JS.API.STREAM.SNAPSHOT.${name}`, request));
    const silence = setTimeout(() => chunks.unsubscribe(), PATIENCE_MS);
    let complete = false;
    for await (const chunk of chunks) {
      silence.refresh();
      if (chunk.data.length === 0) {
        complete = chunk.headers === undefined || chunk.headers.code === 0 || chunk.headers.code === 204;
        break;
      }
      if (!file.write(chunk.data)) await once(file, 'drain');
      // The broker sends only so much ahead of the answers.
      chunk.respond();
    }
    clearTimeout(silence);
    if (!complete) throw broken(name, 'The broker ended the snapshot early.');
    return snapshot;
  } finally {
    chunks.unsubscribe();
    file.end();
    await finished(file);
  }
}

/** Makes the stream again from a snapshot, with its sequences and consumers. It must not exist. */
export async function restoreStream(
  nc: NatsConnection,
  name: string,
  { config, state }: { config: Record<string, unknown>; state: Record<string, unknown> },
  path: string,
): Promise<StreamState> {
  const opened = z
    .object({ deliver_subject: z.string() })
    .parse(await ask(nc, `$JS.API.STREAM.RESTORE.${name}`, { config, state }));
  const send = async (bytes: Uint8Array) =>
    nc.request(opened.deliver_subject, bytes, { timeout: PATIENCE_MS }).then((reply) => reply.string());
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    const answer = await send(chunk);
    if (answer !== '' && !answer.startsWith('+OK')) refuseErrors(name, answer);
  }
  const answer = await send(new Uint8Array());
  refuseErrors(name, answer);
  return z.object({ state: stateSchema }).parse(JSON.parse(answer)).state;
}

async function ask(nc: NatsConnection, subject: string, request: unknown): Promise<unknown> {
  const reply = await nc.request(subject, JSON.stringify(request), { timeout: PATIENCE_MS });
  refuseErrors(subject, reply.string());
  return reply.json();
}

function refuseErrors(what: string, answer: string): void {
  const { error } = errorSchema.parse(JSON.parse(answer));
  if (error !== undefined) throw broken(what, `The broker says: ${error.description}.`);
}

function broken(what: string, reason: string): GantryError {
  return new GantryError('BACKUP.BROKER_REFUSED', 'unavailable', `${what}: ${reason} Try again.`, { retryable: true });
}
