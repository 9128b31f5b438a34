'use client';
import { useMutation } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { Panel } from '@/components/ui/panel';
import { RelativeTime } from '@/components/ui/relative-time';
import { StatusPill } from '@/components/ui/status-pill';
import { toastDone, toastProblem } from '@/components/ui/toast';
import { RevokeSessionDocument, type MySettingsQuery } from '@/gql/graphql';
import { deviceName } from '../model/device-name';
import styles from './settings.module.css';

export function Sessions({ sessions, onChanged }: { sessions: MySettingsQuery['mySessions']; onChanged: () => void }) {
  const [revoke, { loading }] = useMutation(RevokeSessionDocument);
  const end = async (id: string) => {
    try {
      await revoke({ variables: { id } });
      toastDone('Session ended');
    } catch (thrown) {
      toastProblem(thrown);
    }
    onChanged();
  };
  return (
    <Panel title={`Sessions (${sessions.length})`} flush>
      <ul className={styles.list}>
        {sessions.map((session) => (
          <li key={session.id} className={styles.row}>
            <div className={styles.words}>
              <div className={styles.title} title={session.userAgent}>
                {deviceName(session.userAgent)}
                {session.current ? <StatusPill tone="good" label="This one" /> : null}
              </div>
              <div className={styles.meta}>
                <span className="mono">{session.ip}</span>
                <span>
                  active <RelativeTime time={session.lastActiveAt} />
                </span>
                <span>
                  started <RelativeTime time={session.startedAt} />
                </span>
                <span>
                  ends <RelativeTime time={session.expiresAt} />
                </span>
              </div>
            </div>
            {session.current ? null : (
              <Button
                size="compact-sm"
                variant="default"
                disabled={loading}
                onClick={() => void end(session.id)}
                aria-label={`End the session of ${deviceName(session.userAgent)} at ${session.ip}`}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
