import { subjects } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { asciiJson } from '../ascii-json.js';
import { publishBytes } from '../publisher.js';
import type { StreamMessage } from '../stream-message.js';

/** Headers of a dead letter. Its body is the message as it was. */
export const deadLetterHeaders = {
  reason: 'gantry-dlq-reason',
  code: 'gantry-dlq-code',
  stream: 'gantry-dlq-stream',
  consumer: 'gantry-dlq-consumer',
  subject: 'gantry-dlq-subject',
  sequence: 'gantry-dlq-sequence',
  failures: 'gantry-dlq-failures',
  /** When the stream had stored the message, epoch milliseconds. */
  time: 'gantry-dlq-time',
  /** The message's own headers, JSON of [name, value] pairs; absent when there were none or too many. */
  headers: 'gantry-dlq-headers',
  /** Set when the body did not fit next to these headers and was left out. */
  truncated: 'gantry-dlq-truncated',
} as const;

export interface DeadLetter {
  stream: string;
  consumer: string;
  message: StreamMessage;
  failures: number;
  error: unknown;
}

/** Room for our headers next to the body. */
const HEADER_BYTES = 8 * 1024;
const LONGEST_HEADERS = 4_000;

/** Stores the dead letter; only after that may the original be dropped. The id makes a repeated attempt harmless. */
export async function storeDeadLetter(
  nc: NatsConnection,
  { stream, consumer, message, failures, error }: DeadLetter,
  signal: AbortSignal,
): Promise<void> {
  const body = error instanceof GantryError ? error.toBody() : undefined;
  const reason = body?.message ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const sent = headers();
  sent.set(deadLetterHeaders.reason, headerText(reason));
  sent.set(deadLetterHeaders.code, headerText(body?.code ?? 'INTERNAL'));
  sent.set(deadLetterHeaders.stream, stream);
  sent.set(deadLetterHeaders.consumer, consumer);
  sent.set(deadLetterHeaders.subject, message.subject);
  sent.set(deadLetterHeaders.sequence, String(message.streamSequence));
  sent.set(deadLetterHeaders.failures, String(failures));
  sent.set(deadLetterHeaders.time, String(message.timestampMs));
  const own = headersText(message);
  if (own !== undefined) sent.set(deadLetterHeaders.headers, own);
  const fits = message.bytes.length + HEADER_BYTES <= (nc.info?.max_payload ?? 1_048_576);
  if (!fits) sent.set(deadLetterHeaders.truncated, 'true');
  await publishBytes(nc, subjects.deadLetter(stream, consumer), fits ? message.bytes : new Uint8Array(), {
    msgId: `dlq:${stream}:${consumer}:${message.streamSequence}:${message.timestampMs}`,
    headers: sent,
    signal,
  });
}

function headersText({ headers: own }: StreamMessage): string | undefined {
  if (own === undefined) return undefined;
  const text = asciiJson(own.keys().flatMap((name) => own.values(name).map((value) => [name, value])));
  return text.length <= LONGEST_HEADERS ? text : undefined;
}

/** One line of printable ASCII, as a header value must be. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 2_000);
}
