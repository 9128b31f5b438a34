import { formatClock, formatCount } from '@/lib/format';
import styles from './hour-bars.module.css';

export interface HourBar {
  readonly hour: number;
  readonly submitted: number;
  readonly succeeded: number;
  readonly failed: number;
}

const WIDTH = 20;
const HEIGHT = 120;

/** Tasks per hour: what was submitted as the outline, what ended well or badly as the filling. */
export function HourBars({ hours }: { hours: readonly HourBar[] }) {
  const most = Math.max(1, ...hours.map((bar) => Math.max(bar.submitted, bar.succeeded + bar.failed)));
  const top = niceCeiling(most);
  const y = (value: number) => (value / top) * HEIGHT;
  return (
    <figure className={styles.figure}>
      <div className={styles.plot}>
        <div className={styles.scale} aria-hidden="true">
          <span>{formatCount(top)}</span>
          <span>{top % 2 === 0 ? formatCount(top / 2) : ''}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={`0 0 ${hours.length * WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className={styles.bars}
          role="img"
          aria-label={summary(hours)}
        >
          {[0, 0.5, 1].map((part) => (
            <line
              key={part}
              x1="0"
              x2={hours.length * WIDTH}
              y1={HEIGHT * part}
              y2={HEIGHT * part}
              className={styles.line}
            />
          ))}
          {hours.map((bar, index) => (
            <g key={bar.hour}>
              <title>{`${formatClock(bar.hour).slice(0, 5)}: ${bar.submitted} submitted, ${bar.succeeded} succeeded, ${bar.failed} failed`}</title>
              <rect x={index * WIDTH} y="0" width={WIDTH} height={HEIGHT} className={styles.hit} />
              <rect
                x={index * WIDTH + 3}
                y={HEIGHT - y(bar.submitted)}
                width="14"
                height={y(bar.submitted)}
                className={styles.submitted}
              />
              <rect
                x={index * WIDTH + 6}
                y={HEIGHT - y(bar.succeeded)}
                width="8"
                height={y(bar.succeeded)}
                className={styles.succeeded}
              />
              <rect
                x={index * WIDTH + 6}
                y={HEIGHT - y(bar.succeeded + bar.failed)}
                width="8"
                height={y(bar.failed)}
                className={styles.failed}
              />
            </g>
          ))}
        </svg>
      </div>
      <div className={styles.hours} aria-hidden="true">
        {hours
          .filter((_, index) => index % 6 === 0)
          .map((bar) => (
            <span key={bar.hour}>{formatClock(bar.hour).slice(0, 5)}</span>
          ))}
        <span>now</span>
      </div>
      <figcaption className={styles.legend}>
        <span data-kind="submitted">Submitted</span>
        <span data-kind="succeeded">Succeeded</span>
        <span data-kind="failed">Failed</span>
      </figcaption>
    </figure>
  );
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.ceil([1, 2, 4, 5, 10].find((step) => step * power >= value)! * power);
}

function summary(hours: readonly HourBar[]): string {
  const sum = (pick: (bar: HourBar) => number) => hours.reduce((total, bar) => total + pick(bar), 0);
  return `Tasks per hour over ${hours.length} hours: ${sum((bar) => bar.submitted)} submitted, ${sum((bar) => bar.succeeded)} succeeded, ${sum((bar) => bar.failed)} failed.`;
}
