import {
  type InputOf,
  type OutputOf,
  type RequestContext,
  type RequestContract,
  requestHeaders,
} from '@gantry/contracts/messaging/request';
import { errorKinds, GantryError } from '@gantry/kernel/gantry-error';
import {
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  RequestError,
  TimeoutError,
} from '@nats-io/transport-node';
import { z } from 'zod';
import { asciiJson, escapeBeyondAscii } from './ascii-json.js';
import { ConnectionState } from './connection-state.js';
import { parseJsonBytes } from './stream-message.js';

const errorBodySchema = z.object({
  code: z.string(),
  kind: z.enum(errorKinds),
  message: z.string(),
  retryable: z.boolean(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const encoder = new TextEncoder();
/** A broker that restarts, or the next one of a cluster, is usually back by then. */
const RECONNECT_PATIENCE_MS = 1_000;

/** Calls request/reply contracts. Every failure arrives as a `GantryError`: the service's own, or `SERVICE.UNAVAILABLE`. */
export class RequestClient {
  private readonly state: ConnectionState;

  constructor(private readonly nc: NatsConnection) {
    this.state = ConnectionState.of(nc);
  }

  async request<C extends RequestContract>(
    contract: C,
    input: InputOf<C>,
    context: RequestContext,
  ): Promise<OutputOf<C>> {
    const reply = await this.exchange(contract, encoder.encode(JSON.stringify(input)), context);
    return parseOutput(contract, reply);
  }

  /** For a contract with `outputBytes`: the raw bytes of the answer. */
  async requestBytes<C extends RequestContract>(
    contract: C,
    input: InputOf<C>,
    context: RequestContext,
  ): Promise<Uint8Array> {
    const reply = await this.exchange(contract, encoder.encode(JSON.stringify(input)), context);
    const { buffer, byteOffset, byteLength } = reply.data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  /** For a contract with `inputBytes`: the input travels in a header, the bytes as they are. */
  async sendBytes<C extends RequestContract>(
    contract: C,
    input: InputOf<C>,
    bytes: Uint8Array,
    context: RequestContext,
  ): Promise<OutputOf<C>> {
    const reply = await this.exchange(contract, bytes, context, JSON.stringify(input));
    return parseOutput(contract, reply);
  }

  private async exchange(
    contract: RequestContract,
    body: Uint8Array,
    context: RequestContext,
    inputHeader?: string,
  ): Promise<Msg> {
    const sent = headers();
    // Header values are one line of Latin text on the wire; JSON with escapes fits that whatever a user's name holds.
    sent.set(requestHeaders.context, asciiJson(context));
    if (context.traceparent !== undefined) sent.set('traceparent', context.traceparent);
    if (inputHeader !== undefined) sent.set(requestHeaders.input, escapeBeyondAscii(inputHeader));
    let reply: Msg;
    try {
      reply = await this.send(contract, body, sent);
    } catch (error) {
      throw unavailable(contract, error);
    }
    if (reply.headers?.get(requestHeaders.status) === 'error') throw errorOf(contract, reply);
    return reply;
  }

  /**
   * What is sent while disconnected is dropped, and an answer that was on its way when the connection broke never comes: in
   * both cases waiting for the deadline would only waste the caller's time.
   */
  private async send(contract: RequestContract, body: Uint8Array, sent: MsgHdrs): Promise<Msg> {
    await this.state.settle(RECONNECT_PATIENCE_MS);
    if (!this.state.connected) throw new Error('not connected to the broker');
    let forget: () => void = () => undefined;
    const lost = new Promise<never>((_, reject) => {
      forget = this.state.onChange(() => reject(new Error('the connection to the broker broke')));
    });
    const answer = this.nc.request(contract.subject, body, { timeout: contract.timeoutMs, headers: sent });
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, lost]);
    } finally {
      forget();
    }
  }
}

function parseOutput<C extends RequestContract>(contract: C, reply: Msg): OutputOf<C> {
  const parsed = contract.output.safeParse(jsonOf(reply));
  if (parsed.success) return parsed.data as OutputOf<C>;
  throw new GantryError(
    'SERVICE.BAD_REPLY',
    'internal',
    'A service answered in a form we do not know. Run services of the same version.',
    {
      cause: parsed.error,
    },
  );
}

function errorOf(contract: RequestContract, reply: Msg): GantryError {
  const parsed = errorBodySchema.safeParse(jsonOf(reply));
  if (parsed.success) return GantryError.fromBody(parsed.data);
  return new GantryError(
    'SERVICE.BAD_REPLY',
    'internal',
    'A service answered in a form we do not know. Run services of the same version.',
    {
      cause: new Error(`malformed error reply on ${contract.subject}`),
    },
  );
}

function jsonOf(reply: Msg): unknown {
  try {
    return parseJsonBytes(reply.data);
  } catch {
    return undefined;
  }
}

function unavailable(contract: RequestContract, error: unknown): GantryError {
  const [, service = 'service'] = contract.subject.split('.');
  const name = contract.subject.startsWith('upload.') ? 'tasks' : service;
  const missing = error instanceof RequestError && error.isNoResponders();
  const late = error instanceof TimeoutError || (error instanceof Error && error.cause instanceof TimeoutError);
  const what = missing ? 'is not running' : late ? 'did not answer in time' : 'cannot be reached';
  return new GantryError('SERVICE.UNAVAILABLE', 'unavailable', `The ${name} service ${what}. Try again in a moment.`, {
    retryable: true,
    cause: error,
  });
}
