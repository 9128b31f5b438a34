import { TransientMap } from '@gantry/kernel/transient-map';
import { JetStreamApiError } from '@nats-io/jetstream';
import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
} from '@nats-io/transport-node';
import { ConnectionState } from './connection-state.js';
import { parseJsonBytes } from './stream-message.js';

export interface PublishAck {
  readonly seq: number;
  readonly duplicate: boolean;
}

interface Pending {
  readonly subject: string;
  readonly deadline: number;
  readonly resolve: (ack: PublishAck) => void;
  readonly reject: (error: Error) => void;
}

type AckBody = { seq: number; duplicate?: boolean } | { error: ConstructorParameters<typeof JetStreamApiError>[0] };

/** How often overdue acknowledgements are looked for. */
const SWEEP_MS = 250;

/** The broker was silent although the connection is up. */
export class NotAcknowledgedError extends Error {}

/**
 * Publishes to streams and waits for the acknowledgements on one inbox. The client's own request makes a timer, a race of
 * promises and, when the answer comes, an error object with its stack for every single message; that is a fifth of the
 * CPU of a service that appends all day.
 */
export class AckInbox {
  private static readonly known = new WeakMap<NatsConnection, AckInbox>();

  static of(nc: NatsConnection): AckInbox {
    let inbox = AckInbox.known.get(nc);
    if (inbox === undefined) {
      inbox = new AckInbox(nc);
      AckInbox.known.set(nc, inbox);
    }
    return inbox;
  }

  private readonly prefix = `${createInbox()}.`;
  private readonly pending = new TransientMap<string, Pending>();
  private next = 0;
  private sweeper: NodeJS.Timeout | undefined;

  private constructor(private readonly nc: NatsConnection) {
    nc.subscribe(`${this.prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.receive(message);
      },
    });
    // What was sent before a disconnect may never be answered; whoever sent it sends it again under the same message id.
    ConnectionState.of(nc).onChange((connected) => {
      if (!connected) this.rejectAll(new Error('The connection to the broker was lost.'));
    });
    void this.watchPermissions();
  }

  publish(subject: string, bytes: Uint8Array, sent: MsgHdrs, timeoutMs: number): Promise<PublishAck> {
    this.next += 1;
    const token = this.next.toString(36);
    return new Promise((resolve, reject) => {
      // Throws if it can never be sent (too large, closed): then nothing is waited for.
      this.nc.publish(subject, bytes, { reply: this.prefix + token, headers: sent });
      this.pending.set(token, { subject, deadline: performance.now() + timeoutMs, resolve, reject });
      this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
    });
  }

  private receive(message: Msg): void {
    const waiting = this.take(message.subject.slice(this.prefix.length));
    if (waiting === undefined) return;
    if (message.data.length === 0 && message.headers?.code === 503) {
      waiting.reject(new Error(`No stream takes messages on ${waiting.subject}.`));
      return;
    }
    try {
      const body = parseJsonBytes(message.data) as AckBody;
      if ('error' in body) waiting.reject(new JetStreamApiError(body.error));
      else waiting.resolve({ seq: body.seq, duplicate: body.duplicate ?? false });
    } catch (error) {
      waiting.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private take(token: string): Pending | undefined {
    const waiting = this.pending.get(token);
    if (waiting !== undefined) this.forget(token);
    return waiting;
  }

  private forget(token: string): void {
    this.pending.delete(token);
    if (this.pending.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private sweep(): void {
    const now = performance.now();
    for (const [token, { deadline, subject, reject }] of [...this.pending]) {
      if (deadline > now) continue;
      this.forget(token);
      reject(new NotAcknowledgedError(`No acknowledgement of a message on ${subject} in time.`));
    }
  }

  private rejectAll(error: Error): void {
    for (const [token, { reject }] of [...this.pending]) {
      this.forget(token);
      reject(error);
    }
  }

  /** The broker does not answer a publish that it does not permit; it says so beside. */
  private async watchPermissions(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      for (const [token, waiting] of [...this.pending]) {
        if (operation !== 'publish' || waiting.subject !== subject) continue;
        this.forget(token);
        waiting.reject(status.error);
      }
    }
  }
}
