'use client';
import { memo, type CSSProperties } from 'react';
import { formatClockMilliseconds, formatDateTime } from '@/lib/format';
import type { LogLine } from '../model/log-buffer';
import { segmentsOf, type LogSegment } from '../model/log-text';
import styles from './log-viewer.module.css';

export interface LogRowProps {
  seq: number;
  line: LogLine | undefined;
  gone: boolean;
  search: string;
  current: boolean;
  withTime: boolean;
}

export const LogRow = memo(function LogRow({ seq, line, gone, search, current, withTime }: LogRowProps) {
  if (line === undefined) {
    return (
      <>
        <span className={styles.number}>{seq}</span>
        <span className={styles.absent}>{gone ? 'no longer kept' : 'loading …'}</span>
      </>
    );
  }
  return (
    <>
      <span className={styles.number}>{seq}</span>
      {withTime ? (
        <span className={styles.time} title={formatDateTime(line.t)}>
          {formatClockMilliseconds(line.t)}
        </span>
      ) : null}
      <span className={styles.text} data-testid="log-line" data-stream={line.stream} data-seq={seq}>
        {line.stream === 'stdout' ? null : (
          <span className={styles.stream}>{line.stream === 'stderr' ? 'err ' : 'sys '}</span>
        )}
        {segmentsOf(line.text, search).map((segment, index) => {
          const style = exactColours(segment);
          const name = classNames(segment);
          return segment.match ? (
            <mark key={index} className={styles.mark} data-current={current || undefined}>
              {segment.text}
            </mark>
          ) : name || style ? (
            <span key={index} className={name} style={style}>
              {segment.text}
            </span>
          ) : (
            segment.text
          );
        })}
      </span>
    </>
  );
});

/** Exact colours were chosen for another background than ours: the style sheet brings them to a readable lightness. */
function exactColours({ color, background }: LogSegment): CSSProperties | undefined {
  if (color === undefined && background === undefined) return undefined;
  return { '--ansi-exact': color, '--ansi-exact-background': background } as CSSProperties;
}

function classNames({ className, color, background }: LogSegment): string | undefined {
  const names = [
    className,
    color === undefined ? '' : 'ansi-exact',
    background === undefined ? '' : 'ansi-exact-background',
  ];
  return names.filter((name) => name !== '').join(' ') || undefined;
}
