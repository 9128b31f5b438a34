import Link from 'next/link';
import type { ReactNode } from 'react';
import styles from './overview.module.css';

export function StatCard({
  label,
  value,
  note,
  href,
  tone,
}: {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  href?: string;
  tone?: string;
}) {
  const content = (
    <>
      <span className={styles.statLabel}>
        {tone ? <span className={styles.statDot} style={{ background: tone }} aria-hidden="true" /> : null}
        {label}
      </span>
      <span className={styles.statValue}>{value}</span>
      <span className={styles.statNote}>{note}</span>
    </>
  );
  return href ? (
    <Link href={href} className={styles.stat} prefetch={false}>
      {content}
    </Link>
  ) : (
    <div className={styles.stat}>{content}</div>
  );
}
