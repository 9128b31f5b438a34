import { getArtifact } from '@gantry/contracts/tasks/task-requests';
import type { ServiceClient } from '../../adapters/service-client.js';
import { principalOf, type Caller } from '../../security/caller.js';
import type { DownloadTicket, DownloadTickets } from '../../security/download-ticket.js';
import { visibleTo } from '../../security/principal.js';
import { artifactUrl } from '../tasks/task-node.js';
import type { TaskReader } from '../tasks/task-reader.js';

/** Links that a browser can follow without a header, made only for what the caller may read. */
export class ArtifactLinks {
  constructor(
    private readonly services: ServiceClient,
    private readonly reader: Pick<TaskReader, 'get'>,
    private readonly tickets: DownloadTickets,
  ) {}

  async forArtifact(taskId: string, artifactId: string, caller: Caller): Promise<DownloadTicket> {
    const principal = principalOf(caller);
    const artifact = await this.services.ask(
      getArtifact,
      { taskId, visibleTo: visibleTo(principal), artifactId },
      caller,
    );
    return this.tickets.issue(principal, artifactUrl(taskId, artifact.id));
  }

  async forLogs(taskId: string, caller: Caller): Promise<DownloadTicket> {
    const { task } = await this.reader.get(taskId, caller);
    return this.tickets.issue(principalOf(caller), `/api/tasks/${task.id}/logs`, { download: '1' });
  }
}
