import type { ColumnValue } from '@gantry/clickhouse/clickhouse';
import { type Commit, commitSchema } from '@gantry/contracts/messaging/commit';
import type { StreamMessage } from '@gantry/jetstream/stream-message';
import type { Database } from '../../application/database.port.js';
import { parseMessage } from '../../application/parse-message.js';
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
    const rows = messages.map((message) => archiveRow(message, parseMessage(message, commitSchema)));
    await this.database.use((clickhouse) => clickhouse.insert('commits', columns, rows));
  }
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
    commit === parsed ? textOf(message) : JSON.stringify(commit),
  ];
}

/** As it was stored: what need not be changed need not be written anew. */
function textOf({ bytes }: StreamMessage): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
