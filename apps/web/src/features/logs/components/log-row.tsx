'use client';
import { memo } from 'react';
import { formatClockMilliseconds, formatDateTime } from '@/lib/format';
import type { LogLine } from '../model/log-buffer';
import { segmentsOf } from '../model/log-text';
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
        {line.stream === 'stdout' ? null : <span className={styles.stream}>{line.stream === 'stderr' ? 'err ' : 'sys '}</span>}
        {segmentsOf(line.text, search).map((segment, index) => {
          const style = segment.color || segment.background ? { color: segment.color, backgroundColor: segment.background } : undefined;
          const name = segment.className || undefined;
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
