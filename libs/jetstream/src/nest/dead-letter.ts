import { subjects } from '@gantry/contracts/messaging/streams';
import { GantryError } from '@gantry/kernel/gantry-error';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { asciiJson } from '../ascii-json.js';
import { publishUntilAcknowledged } from '../publisher.js';
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
  /** The reader gets no bodies: on a replay it is fetched from the stream. */
  bodyLeftOut?: boolean;
  /** Id of an earlier letter of this message that was replayed, though the message fails here all the same. */
  after?: string;
  /**
   * Id of the newest letter of this consumer, 0 = none; refused if there is a newer one. For processes that may write the same letter at
   * the same moment: brokers before 2.10 then store both, in spite of their message id.
   */
  newest?: number;
}

/** Room for our headers next to the body. */
const HEADER_BYTES = 8 * 1024;
const LONGEST_HEADERS = 4_000;

/**
 * Stores the dead letter and answers its id; only after that may the original be dropped. The message id makes a repeated attempt
 * harmless, also by another replica.
 */
export async function storeDeadLetter(
  nc: NatsConnection,
  { stream, consumer, message, failures, error, bodyLeftOut = false, after, newest }: DeadLetter,
  signal: AbortSignal,
): Promise<string> {
  const known = error instanceof GantryError ? error.toBody() : undefined;
  const reason = known?.message ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const sent = headers();
  sent.set(deadLetterHeaders.reason, headerText(reason));
  sent.set(deadLetterHeaders.code, headerText(known?.code ?? 'INTERNAL'));
  sent.set(deadLetterHeaders.stream, stream);
  sent.set(deadLetterHeaders.consumer, consumer);
  sent.set(deadLetterHeaders.subject, message.subject);
  sent.set(deadLetterHeaders.sequence, String(message.streamSequence));
  sent.set(deadLetterHeaders.failures, String(failures));
  sent.set(deadLetterHeaders.time, String(message.timestampMs));
  const own = headersText(message);
  if (own !== undefined) sent.set(deadLetterHeaders.headers, own);
  const fits = !bodyLeftOut && message.bytes.length + HEADER_BYTES <= (nc.info?.max_payload ?? 1_048_576);
  if (!fits) sent.set(deadLetterHeaders.truncated, 'true');
  const name = `dlq:${stream}:${consumer}:${message.streamSequence}:${message.timestampMs}`;
  const { sequence } = await publishUntilAcknowledged(
    nc,
    subjects.deadLetter(stream, consumer),
    fits ? message.bytes : new Uint8Array(),
    {
      msgId: after === undefined ? name : `${name}:${after}`,
      headers: sent,
      ...(newest === undefined ? {} : { lastSubjectSequence: newest }),
    },
    { signal },
  );
  return String(sequence);
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
