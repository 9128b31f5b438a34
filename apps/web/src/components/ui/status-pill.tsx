import styles from './status-pill.module.css';

export type Tone = 'neutral' | 'wait' | 'busy' | 'good' | 'bad' | 'warn' | 'muted';

/** A state in words, with its colour: the words carry the meaning. */
export function StatusPill({
  tone,
  label,
  pulse = false,
  testId,
}: {
  tone: Tone;
  label: string;
  pulse?: boolean;
  testId?: string;
}) {
  return (
    <span className={styles.pill} data-tone={tone} {...(testId === undefined ? {} : { 'data-testid': testId })}>
      <span className={styles.dot} data-pulse={pulse || undefined} aria-hidden="true" />
      {label}
    </span>
  );
}
