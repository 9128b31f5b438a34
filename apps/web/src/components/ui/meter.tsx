import styles from './meter.module.css';

export interface MeterProps {
  label: string;
  value: number;
  max: number;
  /** What the numbers mean, beside the bar: "3 of 8 cores". */
  text: string;
  tone?: 'use' | 'reserve';
}

/** How much of something is taken. */
export function Meter({ label, value, max, text, tone = 'use' }: MeterProps) {
  const percent = max > 0 ? Math.min(100, Math.max(0, (value / max) * 100)) : 0;
  return (
    <div className={styles.meter}>
      <div className={styles.words}>
        <span>{label}</span>
        <span className={styles.text}>{text}</span>
      </div>
      <div
        className={styles.track}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
        aria-valuetext={text}
      >
        <div
          className={styles.bar}
          data-tone={tone}
          data-high={percent >= 90 || undefined}
          style={{ width: `${percent}%` }}
        />
      </div>
    </div>
  );
}
