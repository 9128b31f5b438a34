import { withoutSecretFields } from '@gantry/contracts/auth/secret-fields';
import type { DeadLetter, DeadLetterDetail } from '@gantry/contracts/messaging/dead-letters';
import { streams } from '@gantry/contracts/messaging/streams';
import type { StoredMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { z } from 'zod';
import { parseJsonBytes, type StreamMessage } from '../stream-message.js';
import { deadLetterHeaders } from './dead-letter.js';

const PREVIEW_CHARACTERS = 16_384;
const headerPairsSchema = z.array(z.tuple([z.string(), z.string()]));

/** What became of a dead letter, as stored on its own subject. */
export const resolutionSchema = z.object({
  outcome: z.enum(['replayed', 'discarded']),
  at: z.int(),
  by: z.object({ id: z.string(), name: z.string() }),
});
export type Resolution = z.infer<typeof resolutionSchema>;

/** A stored dead letter, read back from its headers. */
export class DeadLetterRecord {
  constructor(private readonly stored: StoredMsg) {}

  get id(): string {
    return String(this.stored.seq);
  }

  get stream(): string {
    return this.text('stream');
  }

  get consumer(): string {
    return this.text('consumer');
  }

  get truncated(): boolean {
    return this.text('truncated') === 'true';
  }

  view(resolution: Resolution | undefined): DeadLetter {
    return {
      id: this.id,
      stream: this.stream,
      consumer: this.consumer,
      subject: this.text('subject'),
      sequence: this.number('sequence'),
      code: this.text('code'),
      reason: this.text('reason'),
      failures: this.number('failures'),
      sizeBytes: this.stored.data.length,
      deadLetteredAt: this.stored.time.getTime(),
      state: resolution?.outcome ?? 'open',
      resolvedAt: resolution?.at ?? null,
      resolvedBy: resolution?.by.name ?? null,
    };
  }

  detail(resolution: Resolution | undefined): DeadLetterDetail {
    const payload = this.truncated ? null : preview(this.stream, this.stored.data);
    return {
      ...this.view(resolution),
      headers: this.ownHeaders().map(([key, value]) => ({ key, value })),
      payload: payload?.slice(0, PREVIEW_CHARACTERS) ?? null,
      payloadComplete: payload !== null && payload.length <= PREVIEW_CHARACTERS,
    };
  }

  /** The message as the consumer had it. `bytes` and `sent`: what is in the stream, where the letter has no body. */
  message(bytes: Uint8Array = this.stored.data, sent?: MsgHdrs): StreamMessage {
    const own = sent ?? headersOf(this.ownHeaders());
    return {
      subject: this.text('subject'),
      streamSequence: this.number('sequence'),
      timestampMs: this.originalTime,
      redeliveries: this.number('failures'),
      bytes,
      ...(own.keys().length === 0 ? {} : { headers: own }),
      json: () => parseJsonBytes(bytes),
    };
  }

  get originalTime(): number {
    return this.number('time');
  }

  private ownHeaders(): [string, string][] {
    const text = this.text('headers');
    return text === '' ? [] : headerPairsSchema.parse(JSON.parse(text));
  }

  private text(name: keyof typeof deadLetterHeaders): string {
    return this.stored.header.get(deadLetterHeaders[name]);
  }

  private number(name: keyof typeof deadLetterHeaders): number {
    return Number(this.text(name));
  }
}

function headersOf(pairs: readonly (readonly [string, string])[]): MsgHdrs {
  const own = headers();
  for (const [key, value] of pairs) own.append(key, value);
  return own;
}

function preview(stream: string, bytes: Uint8Array): string | null {
  try {
    return JSON.stringify(withoutSecretFields(parseJsonBytes(bytes)));
  } catch {
    // Text that is no JSON could hold secrets that cannot be told apart.
    return stream === streams.auth.name ? null : new TextDecoder().decode(bytes.subarray(0, PREVIEW_CHARACTERS + 4));
  }
}
