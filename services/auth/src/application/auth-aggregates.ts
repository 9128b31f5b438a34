import { AUTH_SCHEMA_VERSION, type AuthEvent } from '@gantry/contracts/auth/auth-events';
import type { DomainEvent, StoredCommit } from '@gantry/contracts/messaging/commit';
import type { Actor } from '@gantry/contracts/messaging/actor';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { CommandHandler, type CommandOrigin } from '@gantry/event-sourcing/command-handler';
import type { Decider } from '@gantry/event-sourcing/decider';
import type { EventStore } from '@gantry/event-sourcing/event-store.port';
import type { Clock } from '@gantry/kernel/clock';
import type { IdSource } from '@gantry/kernel/ids';
import { apiKeyDecider } from '../domain/api-key/api-key.decider.js';
import type { ApiKeyCommand } from '../domain/api-key/api-key.decide.js';
import type { ApiKeyState } from '../domain/api-key/api-key.state.js';
import { emailDecider } from '../domain/email/email.decider.js';
import type { ReserveEmail } from '../domain/email/email.decide.js';
import { sessionDecider } from '../domain/session/session.decider.js';
import type { SessionCommand } from '../domain/session/session.decide.js';
import type { SessionState } from '../domain/session/session.state.js';
import { userDecider } from '../domain/user/user.decider.js';
import type { UserCommand } from '../domain/user/user.decide.js';
import type { DirectoryProjection } from '../projections/directory/directory.projection.js';

interface Ports {
  readonly store: EventStore<AuthEvent>;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Runs commands on the four kinds of aggregates and waits until the directory shows what they did. */
export class AuthAggregates {
  private readonly users;
  private readonly emails;
  private readonly sessions;
  private readonly apiKeys;

  constructor(
    private readonly ports: Ports,
    private readonly directory: DirectoryProjection,
  ) {
    this.users = this.handlerOf(userDecider, subjects.authUser);
    this.emails = this.handlerOf(emailDecider, subjects.authEmail);
    this.sessions = this.handlerOf(sessionDecider, subjects.authSession);
    this.apiKeys = this.handlerOf(apiKeyDecider, subjects.authKey);
  }

  now(): number {
    return this.ports.clock.now();
  }

  newId(): string {
    return this.ports.ids.next();
  }

  /** `actor`: when the request itself proves who acts (a log-in), instead of the context's. */
  origin(context: RequestContext, actor: Actor = context.actor): CommandOrigin {
    const { correlationId, traceparent } = context;
    return {
      commandId: this.newId(),
      actor,
      correlationId,
      causationId: correlationId,
      ...(traceparent === undefined ? {} : { traceparent }),
    };
  }

  /** For what the service does by itself: first admin, sweep. */
  ownOrigin(): CommandOrigin {
    const correlationId = this.newId();
    return {
      commandId: this.newId(),
      actor: { kind: 'service', id: 'auth' },
      correlationId,
      causationId: correlationId,
    };
  }

  /** True if this call stored the change; false if there was nothing to do. */
  async user(userId: string, command: UserCommand, origin: CommandOrigin): Promise<boolean> {
    return this.visible(await this.users.handle(userId, command, origin)).then(({ stored }) => stored !== undefined);
  }

  async email(emailHash: string, command: ReserveEmail, origin: CommandOrigin): Promise<void> {
    await this.visible(await this.emails.handle(emailHash, command, origin));
  }

  async session(sessionId: string, command: SessionCommand, origin: CommandOrigin): Promise<SessionState> {
    return this.visible(await this.sessions.handle(sessionId, command, origin)).then(({ state }) => state);
  }

  async apiKey(keyId: string, command: ApiKeyCommand, origin: CommandOrigin): Promise<ApiKeyState> {
    return this.visible(await this.apiKeys.handle(keyId, command, origin)).then(({ state }) => state);
  }

  /** Keeps cached aggregates fresh with what the follower of the stream sees, other replicas' commits included. */
  absorb(stored: StoredCommit<AuthEvent>): void {
    const kind = stored.subject.split('.')[1];
    if (kind === 'user') this.users.absorb(stored as Parameters<typeof this.users.absorb>[0]);
    if (kind === 'email') this.emails.absorb(stored as Parameters<typeof this.emails.absorb>[0]);
    if (kind === 'session') this.sessions.absorb(stored as Parameters<typeof this.sessions.absorb>[0]);
    if (kind === 'key') this.apiKeys.absorb(stored as Parameters<typeof this.apiKeys.absorb>[0]);
  }

  private async visible<R extends { lastSequence: number }>(result: R): Promise<R> {
    await this.directory.reached(result.lastSequence);
    return result;
  }

  private handlerOf<State, Command, Event extends AuthEvent & DomainEvent>(
    decider: Decider<State, Command, Event>,
    subjectOf: (id: string) => string,
  ): CommandHandler<State, Command, Event> {
    return new CommandHandler<State, Command, Event>({
      streamName: streams.auth.name,
      schemaVersion: AUTH_SCHEMA_VERSION,
      decider,
      // A subject holds the events of its own kind of aggregate only, which the compiler cannot know.
      store: this.ports.store as unknown as EventStore<Event>,
      clock: this.ports.clock,
      subjectOf,
    });
  }
}
