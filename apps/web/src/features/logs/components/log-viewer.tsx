'use client';
import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownIcon } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState, type CSSProperties } from 'react';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { toastProblem } from '@/components/ui/toast';
import { restFetch, useApi } from '@/lib/api-context';
import { formatLines } from '@/lib/format';
import { ProblemError } from '@/lib/problem';
import { saveBlob } from '@/lib/save-blob';
import { allStreams } from '../model/log-index';
import { LogRow } from './log-row';
import { LogToolbar, type LogView } from './log-toolbar';
import './ansi.css';
import styles from './log-viewer.module.css';
import { useLogFeed } from './use-log-feed';

/** 1,000,000 rows must stay below the tallest element that Firefox lays out (17.8 million pixels). */
const ROW_HEIGHT = 17;
const AT_END_PIXELS = 24;

export interface LogViewerProps {
  taskId: string;
  attempt: number;
  /** What to say while there are no lines. */
  emptyText: string;
  height?: string;
}

export default function LogViewer({ taskId, attempt, emptyText, height = 'min(60vh, 560px)' }: LogViewerProps) {
  const { feed, snapshot } = useLogFeed(taskId, attempt);
  const [view, setView] = useState<LogView>({ search: '', streams: allStreams, withTime: false, wrap: false });
  const [search] = useDebouncedValue(view.search.trim(), 200);
  const [following, setFollowing] = useState(true);
  const [currentSeq, setCurrentSeq] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const download = useDownload(taskId, attempt);

  useEffect(() => feed.setQuery(view.streams, search), [feed, view.streams, search]);

  const { index, buffer } = feed;
  const count = index.rowCount(snapshot.shownTo);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
    paddingStart: 6,
    paddingEnd: 6,
  });
  const items = virtualizer.getVirtualItems();
  const firstRow = items[0]?.index ?? 0;
  const lastRow = items.at(-1)?.index ?? 0;

  // Lines on the screen that are not here yet.
  useEffect(() => {
    if (count > 0) feed.ensure(index.seqOfRow(firstRow), index.seqOfRow(lastRow));
  }, [feed, index, count, firstRow, lastRow, snapshot.revision]);

  // Wrapped and unwrapped rows have different heights.
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, view.wrap]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (following && element !== null && count > 0) element.scrollTop = element.scrollHeight;
  }, [following, count, snapshot.revision, view.wrap, virtualizer.scrollRect?.height]);

  // When the ring drops its oldest lines the rows above vanish: keep what is being read in its place.
  const shownFirst = useRef(snapshot.firstSeq);
  useLayoutEffect(() => {
    const dropped = snapshot.firstSeq - shownFirst.current;
    shownFirst.current = snapshot.firstSeq;
    if (dropped > 0 && !following && scroller.current !== null) scroller.current.scrollTop -= dropped * ROW_HEIGHT;
  }, [snapshot.firstSeq, following]);

  const lastTop = useRef(0);
  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop } = element;
    // Lines that came since we scrolled also leave a distance to the end: only a move upwards is the reader's wish.
    if (element.scrollHeight - scrollTop - element.clientHeight < AT_END_PIXELS) setFollowing(true);
    else if (scrollTop < lastTop.current) setFollowing(false);
    lastTop.current = scrollTop;
  };

  const step = (direction: 1 | -1) => {
    const { matches } = index;
    if (matches.length === 0) return;
    const here = matches.indexOf(currentSeq);
    // Without a current match the newest one is nearest to what is shown.
    const next = here < 0 ? matches.length - 1 : (here + direction + matches.length) % matches.length;
    const seq = matches[next] ?? 0;
    setCurrentSeq(seq);
    setFollowing(false);
    virtualizer.scrollToIndex(index.rowOfSeq(seq), { align: 'center' });
  };

  if (snapshot.phase === 'failed' && buffer.loaded === 0) {
    return (
      <ProblemPanel
        error={snapshot.problem === null ? null : new ProblemError(snapshot.problem)}
        onRetry={() => void feed.start()}
      />
    );
  }

  return (
    <div className={styles.viewer}>
      <LogToolbar
        view={view}
        onView={(change) => setView((before) => ({ ...before, ...change }))}
        matches={index.matches.length}
        match={index.matches.indexOf(currentSeq) + 1}
        searched={snapshot.searched}
        onStep={step}
        live={snapshot.phase === 'live'}
        paused={snapshot.paused}
        onPause={() => (snapshot.paused ? feed.resume() : feed.pause())}
        onDownload={() => void download.start()}
        downloading={download.busy}
      />
      <div className={styles.frame}>
        <div
          ref={scroller}
          className={styles.scroller}
          style={{ height }}
          onScroll={onScroll}
          role="log"
          aria-live="off"
          aria-label="Log lines"
          tabIndex={0}
        >
          {count === 0 ? (
            <div className={styles.empty}>
              {snapshot.phase === 'loading'
                ? 'Loading …'
                : buffer.lastSeq === 0
                  ? emptyText
                  : 'No line passes the filter.'}
            </div>
          ) : (
            <div
              className={styles.rows}
              data-wrap={view.wrap || undefined}
              style={
                { height: virtualizer.getTotalSize(), '--log-digits': String(snapshot.shownTo).length } as CSSProperties
              }
            >
              <div className={styles.window} style={{ top: items[0]?.start ?? 0 }}>
                {items.map((item) => {
                  const seq = index.seqOfRow(item.index);
                  const line = buffer.get(seq);
                  return (
                    <div
                      key={item.key}
                      ref={view.wrap ? virtualizer.measureElement : undefined}
                      data-index={item.index}
                      className={styles.row}
                      data-stream={line?.stream}
                      data-current={(seq === currentSeq && search !== '') || undefined}
                      style={view.wrap ? undefined : { height: ROW_HEIGHT }}
                    >
                      <LogRow
                        seq={seq}
                        line={line}
                        gone={feed.isGone(seq)}
                        search={search}
                        current={seq === currentSeq}
                        withTime={view.withTime}
                      />
                    </div>
                  );
                })}
              </div>
            </div>
          )}
        </div>
        {!following && count > 0 ? (
          <Button
            className={styles.toEnd}
            size="compact-sm"
            leftSection={<ArrowDownIcon size={14} />}
            onClick={() => setFollowing(true)}
          >
            {snapshot.phase === 'live' ? 'Follow' : 'To the end'}
          </Button>
        ) : null}
      </div>
      <div className={styles.status} role="status" aria-live="polite">
        <span data-phase={snapshot.phase} className={styles.phase}>
          {phaseWords[snapshot.phase]}
        </span>
        {snapshot.paused ? <span>{`paused, ${formatLines(snapshot.waiting)} waiting`}</span> : null}
        {snapshot.problem !== null ? <span>{snapshot.problem.message}</span> : null}
        <span className={styles.lines}>{formatLines(index.isWhole ? buffer.lastSeq : count)}</span>
      </div>
    </div>
  );
}

const phaseWords = { loading: 'Loading', live: 'Live', complete: 'Complete', failed: 'Interrupted' } as const;

function useDownload(taskId: string, attempt: number) {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  return {
    busy,
    start: async () => {
      setBusy(true);
      try {
        const response = await restFetch(api, `/api/tasks/${taskId}/logs?download=1&attempt=${attempt}`);
        saveBlob(await response.blob(), `${taskId}-attempt-${attempt}.log`);
      } catch (thrown) {
        toastProblem(thrown);
      } finally {
        setBusy(false);
      }
    },
  };
}
