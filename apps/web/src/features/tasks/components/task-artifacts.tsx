'use client';
import { ActionIcon, Tooltip } from '@mantine/core';
import { DownloadIcon, PackageIcon } from 'lucide-react';
import { useState } from 'react';
import { CopyId } from '@/components/ui/copy-id';
import { EmptyState } from '@/components/ui/empty-state';
import { Panel } from '@/components/ui/panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { toastProblem } from '@/components/ui/toast';
import type { TaskDetailFragment } from '@/gql/graphql';
import { restFetch, useApi } from '@/lib/api-context';
import { formatBytes } from '@/lib/format';
import styles from './task-artifacts.module.css';

export function TaskArtifacts({ task }: { task: TaskDetailFragment }) {
  const { artifacts } = task;
  const total = artifacts.reduce((sum, artifact) => sum + artifact.sizeBytes, 0);
  return (
    <Panel
      title={artifacts.length === 0 ? 'Artifacts' : `Artifacts (${artifacts.length})`}
      aside={artifacts.length > 0 ? <span className="soft">{formatBytes(total)}</span> : null}
      flush
    >
      {artifacts.length === 0 ? (
        <EmptyState icon={<PackageIcon size={26} />} title="No artifacts">
          Files that the container leaves in <span className="mono">/output</span> are collected and checksummed here
          when it ends.
        </EmptyState>
      ) : (
        <ul className={styles.list}>
          {artifacts.map((artifact) => (
            <li key={artifact.id} className={styles.row} data-testid="artifact-row">
              <div className={styles.words}>
                <div className={styles.path}>{artifact.path}</div>
                <div className={styles.meta}>
                  <span>{formatBytes(artifact.sizeBytes)}</span>
                  <span>{artifact.mediaType}</span>
                  {task.attempts.length > 1 ? <span>{`attempt ${artifact.attempt}`}</span> : null}
                  <RelativeTime time={artifact.storedAt} />
                  <CopyId value={artifact.sha256} shown={`sha256 ${artifact.sha256.slice(0, 12)}…`} label="SHA-256" />
                </div>
              </div>
              <DownloadArtifact taskId={task.id} artifact={artifact} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The browser itself downloads, straight to disk: a one-time ticket stands for the token, which a link cannot carry. */
function DownloadArtifact({ taskId, artifact }: { taskId: string; artifact: { id: string; path: string } }) {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      const response = await restFetch(api, `/api/tasks/${taskId}/files/${encodeURIComponent(artifact.id)}/ticket`, {
        method: 'POST',
      });
      const { url } = (await response.json()) as { url: string };
      const link = document.createElement('a');
      link.href = new URL(url, `${api.endpoints.base}/`).href;
      link.download = artifact.path.split('/').at(-1) ?? 'artifact';
      link.rel = 'noopener';
      document.body.append(link);
      link.click();
      link.remove();
    } catch (thrown) {
      toastProblem(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Tooltip label="Download">
      <ActionIcon
        variant="default"
        size="lg"
        loading={busy}
        onClick={() => void download()}
        aria-label={`Download ${artifact.path}`}
      >
        <DownloadIcon size={17} />
      </ActionIcon>
    </Tooltip>
  );
}
