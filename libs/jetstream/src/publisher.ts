import { GantryError } from '@gantry/kernel/gantry-error';
import { JetStreamApiError, jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection, nuid, PermissionViolationError } from '@nats-io/transport-node';
import { AckInbox, NotAcknowledgedError } from './ack-inbox.js';
import { ConnectionState } from './connection-state.js';
import { backOff, pause } from './pause.js';
import { isStorageFull, storageFull, StorageState } from './storage-state.js';

export interface PublishOptions {
  /** Default: a fresh one, so that a repeated attempt is recognised by the broker. */
  msgId?: string;
  /** How long to try; default: until acknowledged. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Stored with the message. */
  headers?: MsgHdrs;
}

/** How the broker is to treat a message. */
export interface StoreRules {
  /** A message with an id that the stream has already is stored only once. Without an id, the fence must do for repetitions. */
  msgId?: string;
  /** Refused unless this is the newest sequence on the message's subject; 0 = none yet. */
  lastSubjectSequence?: number;
  headers?: MsgHdrs | undefined;
}

export interface PublishResult {
  sequence: number;
  /** True if the stream had this message id already. */
  duplicate: boolean;
}

/** Longest wait for one acknowledgement; a broker that is well answers in a millisecond. */
const ATTEMPT_MS = 3_000;

/**
 * Stores a message in whichever stream captures `subject`. What the client sends while disconnected is dropped, and an
 * acknowledgement can be lost with the connection, so it is sent again under the same message id until the broker says it has it.
 * Rejects when the time is over or the signal aborts (then the outcome is unknown), or at once when the broker refuses for good.
 */
export function publishJson(
  nc: NatsConnection,
  subject: string,
  value: unknown,
  options: PublishOptions = {},
): Promise<PublishResult> {
  return publishBytes(nc, subject, Buffer.from(JSON.stringify(value)), options);
}

export function publishBytes(
  nc: NatsConnection,
  subject: string,
  bytes: Uint8Array,
  options: PublishOptions = {},
): Promise<PublishResult> {
  const { msgId = nuid.next(), timeoutMs, signal } = options;
  return publishUntilAcknowledged(nc, subject, bytes, { msgId, headers: options.headers }, { timeoutMs, signal });
}

const clients = new WeakMap<NatsConnection, JetStreamClient>();

export function jetStreamOf(nc: NatsConnection): JetStreamClient {
  let client = clients.get(nc);
  if (client === undefined) {
    client = jetstream(nc);
    clients.set(nc, client);
  }
  return client;
}

/**
 * The loop behind every publish. An error of the broker's API (a lost race) is passed on at once. Storage without room is told
 * at once to who gave a time, because a person waits for it; who has all the time in the world (an agent's report) waits until
 * there is room.
 */
export async function publishUntilAcknowledged(
  nc: NatsConnection,
  subject: string,
  bytes: Uint8Array,
  rules: StoreRules,
  {
    timeoutMs = Number.POSITIVE_INFINITY,
    signal,
  }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
): Promise<PublishResult> {
  const inbox = AckInbox.of(nc);
  const state = ConnectionState.of(nc);
  const storage = StorageState.of(nc);
  const { msgId, lastSubjectSequence, headers: sent = headers() } = rules;
  if (msgId !== undefined) sent.set('Nats-Msg-Id', msgId);
  if (lastSubjectSequence !== undefined) sent.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence));
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    // Sent now it would be dropped, and only the time-out would tell.
    if (!state.connected) await state.settle(Math.min(5_000, Math.max(1, deadline - performance.now())), signal);
    const left = deadline - performance.now();
    try {
      const ack = await inbox.publish(subject, bytes, sent, Math.max(1, Math.min(ATTEMPT_MS, left)));
      storage.stored();
      return { sequence: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      if (isStorageFull(error)) {
        storage.refused(error);
        if (Number.isFinite(timeoutMs) || nc.isClosed() || signal?.aborted === true) throw storageFull(error);
        await pause(backOff(round, 100, 2_000), signal);
        continue;
      }
      if (error instanceof JetStreamApiError && !isPassing(error)) {
        storage.answered();
        throw error;
      }
      if (isHopeless(error)) throw error;
      if (error instanceof NotAcknowledgedError && state.connected) storage.unanswered();
      if (nc.isClosed() || signal?.aborted === true || performance.now() >= deadline) {
        throw new GantryError(
          'BROKER.UNAVAILABLE',
          'unavailable',
          'The message broker did not confirm in time. Try again.',
          { cause: error },
        );
      }
      const wait = Math.min(backOff(round, 20, 500), Math.max(1, deadline - performance.now()));
      await pause(wait, signal);
    }
  }
}

/** Codes that a broker gives while it starts or moves a leader: 10008 "temporarily unavailable", 10118 and 10074 likewise. */
const passingCodes = new Set([10_008, 10_074, 10_118]);
const isPassing = (error: JetStreamApiError): boolean => passingCodes.has(error.code);

/** Refused by permissions or by size: the same message can never be stored. */
function isHopeless(error: unknown): boolean {
  if (error instanceof PermissionViolationError) return true;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof PermissionViolationError) return true;
  return error instanceof Error && error.name === 'InvalidArgumentError';
}
