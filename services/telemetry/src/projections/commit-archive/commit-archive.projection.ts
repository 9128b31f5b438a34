import type { ColumnValue } from '@gantry/clickhouse/tab-separated-rows';
import { type Commit, commitSchema } from '@gantry/contracts/messaging/commit';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Database } from '../../application/database.port.js';
import { parseMessages } from '../../application/parse-messages.js';
import type { StreamProjection } from '../../application/stream-projection.port.js';
import { withoutSecrets } from './without-secrets.js';

const columns = [
  'stream',
  'stream_sequence',
  'subject',
  'aggregate_id',
  'version',
  'commit_id',
  'occurred_at',
  'actor_kind',
  'actor_id',
  'actor_name',
  'correlation_id',
  'event_types',
  'commit',
] as const;

/** Every commit of a stream -> table `commits`, without what only the owner of the stream may keep. */
export class CommitArchiveProjection implements StreamProjection {
  constructor(private readonly database: Database) {}

  async apply(messages: readonly StreamMessage[]): Promise<void> {
    const commits = parseMessages(messages, commitSchema);
    await this.database.use((clickhouse) => clickhouse.insert('commits', columns, archiveRows(messages, commits)));
  }
}

function* archiveRows(messages: readonly StreamMessage[], commits: readonly Commit[]): Iterable<ColumnValue[]> {
  for (const [index, message] of messages.entries()) yield archiveRow(message, commits[index]!);
}

function archiveRow(message: StreamMessage, parsed: Commit): ColumnValue[] {
  const commit = withoutSecrets(parsed);
  const { actor } = commit;
  return [
    commit.stream,
    message.streamSequence,
    message.subject,
    commit.aggregateId,
    commit.version,
    commit.id,
    commit.occurredAt,
    actor.kind,
    'id' in actor ? actor.id : '',
    'name' in actor ? actor.name : '',
    commit.correlationId,
    commit.events.map((event) => event.type),
    // As it was stored: what need not be changed need not be written anew.
    commit === parsed ? message.bytes : JSON.stringify(commit),
  ];
}
