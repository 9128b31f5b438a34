import { formatCount } from '@/lib/format';
import styles from './status-doughnut.module.css';

export interface Slice {
  readonly key: string;
  readonly label: string;
  readonly value: number;
  /** Any CSS colour. */
  readonly color: string;
}

const RADIUS = 42;
const LENGTH = 2 * Math.PI * RADIUS;

/** Shares of a whole, with the numbers beside them. */
export function StatusDoughnut({ slices, unit }: { slices: readonly Slice[]; unit: string }) {
  const total = slices.reduce((sum, slice) => sum + slice.value, 0);
  let offset = 0;
  return (
    <div className={styles.row}>
      <svg viewBox="0 0 100 100" className={styles.ring} aria-hidden="true">
        <circle cx="50" cy="50" r={RADIUS} className={styles.track} />
        {slices.map((slice) => {
          if (slice.value === 0) return null;
          const length = (slice.value / total) * LENGTH;
          const start = offset;
          offset += length;
          return (
            <circle
              key={slice.key}
              cx="50"
              cy="50"
              r={RADIUS}
              className={styles.slice}
              style={{ stroke: slice.color }}
              strokeDasharray={`${Math.max(0.5, length - (slice.value === total ? 0 : 1))} ${LENGTH}`}
              strokeDashoffset={-start}
            />
          );
        })}
        <text x="50" y="50" className={styles.total}>
          {formatCount(total)}
        </text>
        <text x="50" y="62" className={styles.unit}>
          {unit}
        </text>
      </svg>
      <ul className={styles.legend}>
        {slices.map((slice) => (
          <li key={slice.key} data-empty={slice.value === 0 || undefined}>
            <span className={styles.swatch} style={{ background: slice.color }} aria-hidden="true" />
            <span>{slice.label}</span>
            <span className={styles.value}>{formatCount(slice.value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
