'use client';
import { useMutation } from '@apollo/client/react';
import { Button, Text } from '@mantine/core';
import { KeyIcon, PlusIcon } from 'lucide-react';
import dynamic from 'next/dynamic';
import { useState } from 'react';
import { confirm } from '@/components/ui/confirm';
import { EmptyState } from '@/components/ui/empty-state';
import { Panel } from '@/components/ui/panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill } from '@/components/ui/status-pill';
import { toastDone, toastProblem } from '@/components/ui/toast';
import { RevokeApiKeyDocument, type ApiKeyFieldsFragment } from '@/gql/graphql';
import { useNow } from '@/lib/use-now';
import styles from './settings.module.css';

const CreateApiKeyModal = dynamic(() => import('./create-api-key-modal').then((module) => module.CreateApiKeyModal), {
  ssr: false,
});

export function ApiKeys({ keys, onChanged }: { keys: readonly ApiKeyFieldsFragment[]; onChanged: () => void }) {
  const [creating, setCreating] = useState(false);
  const [revoke] = useMutation(RevokeApiKeyDocument);
  const now = useNow();

  const ask = async (key: ApiKeyFieldsFragment) => {
    const sure = await confirm({
      title: `Revoke “${key.name}”?`,
      body: <Text size="sm">Whatever uses this key stops working at once.</Text>,
      action: 'Revoke the key',
    });
    if (!sure) return;
    try {
      await revoke({ variables: { id: key.id } });
      toastDone('Key revoked', key.name);
    } catch (thrown) {
      toastProblem(thrown);
    }
    onChanged();
  };

  return (
    <Panel
      title={`API keys (${keys.length})`}
      flush
      aside={
        <Button size="compact-sm" leftSection={<PlusIcon size={14} />} onClick={() => setCreating(true)}>
          Create key
        </Button>
      }
    >
      {keys.length === 0 ? (
        <EmptyState icon={<KeyIcon size={26} />} title="No API keys">
          A key lets a script or the command line act for you, limited to the scopes you choose.
        </EmptyState>
      ) : (
        <ul className={styles.list}>
          {keys.map((key) => {
            const expired = key.expiresAt !== null && key.expiresAt !== undefined && key.expiresAt < now;
            const dead = expired || (key.revokedAt !== null && key.revokedAt !== undefined);
            return (
              <li key={key.id} className={styles.row} data-dead={dead || undefined}>
                <div className={styles.words}>
                  <div className={styles.title}>
                    {key.name}
                    {key.revokedAt ? (
                      <StatusPill tone="muted" label="Revoked" />
                    ) : expired ? (
                      <StatusPill tone="warn" label="Expired" />
                    ) : null}
                  </div>
                  <div className={styles.meta}>
                    <span className="mono">{`${key.prefix}…`}</span>
                    <span>{key.scopes.join(', ')}</span>
                    <span>
                      created <RelativeTime time={key.createdAt} />
                    </span>
                    <span>
                      {key.lastUsedAt ? 'used ' : 'never used'}
                      {key.lastUsedAt ? <RelativeTime time={key.lastUsedAt} /> : null}
                    </span>
                    <span>
                      {key.expiresAt ? 'expires ' : 'does not expire'}
                      {key.expiresAt ? <RelativeTime time={key.expiresAt} /> : null}
                    </span>
                  </div>
                </div>
                {dead ? null : (
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={() => void ask(key)}
                    aria-label={`Revoke ${key.name}`}
                  >
                    Revoke
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {creating ? <CreateApiKeyModal onClose={() => setCreating(false)} onCreated={onChanged} /> : null}
    </Panel>
  );
}
