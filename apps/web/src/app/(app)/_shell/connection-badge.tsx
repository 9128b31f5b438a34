'use client';
import { Tooltip } from '@mantine/core';
import { useConnection } from '@/lib/api-context';
import styles from './connection-badge.module.css';

const words = {
  connecting: { label: 'Connecting', help: 'Opening the live channel.' },
  live: { label: 'Live', help: 'Changes appear as they happen.' },
  reconnecting: {
    label: 'Reconnecting',
    help: 'The live channel was lost. What is shown may be old; it catches up by itself.',
  },
} as const;

export function ConnectionBadge() {
  const { status } = useConnection();
  const { label, help } = words[status];
  return (
    <Tooltip label={help} events={{ hover: true, focus: true, touch: true }}>
      <span className={styles.badge} data-testid="connection-state" data-state={status} role="status" tabIndex={0}>
        <span className={styles.dot} aria-hidden="true" />
        <span className={styles.label}>{label}</span>
      </span>
    </Tooltip>
  );
}
