'use client';
import { ActionIcon, Button, Checkbox, Group, Popover, Stack, TextInput, Tooltip } from '@mantine/core';
import {
  SlidersHorizontalIcon,
  ArrowDownIcon,
  ArrowUpIcon,
  DownloadIcon,
  PauseIcon,
  PlayIcon,
  SearchIcon,
} from 'lucide-react';
import type { LogStream } from '@/gql/graphql';
import { formatCount } from '@/lib/format';
import styles from './log-viewer.module.css';

export interface LogView {
  readonly search: string;
  readonly streams: ReadonlySet<LogStream>;
  readonly withTime: boolean;
  readonly wrap: boolean;
}

export interface LogToolbarProps {
  view: LogView;
  onView: (change: Partial<LogView>) => void;
  matches: number;
  /** Position of the current match, from 1; 0 = none. */
  match: number;
  /** Per cent of the log that was searched. */
  searched: number;
  onStep: (step: 1 | -1) => void;
  paused: boolean;
  live: boolean;
  onPause: () => void;
  onDownload: () => void;
  downloading: boolean;
}

const streamNames: readonly { value: LogStream; label: string }[] = [
  { value: 'stdout', label: 'stdout' },
  { value: 'stderr', label: 'stderr' },
  { value: 'system', label: 'system (what Gantry says)' },
];

export function LogToolbar(props: LogToolbarProps) {
  const { view, onView } = props;
  const toggle = (stream: LogStream, on: boolean) => {
    const streams = new Set(view.streams);
    if (on) streams.add(stream);
    else streams.delete(stream);
    if (streams.size > 0) onView({ streams });
  };
  return (
    <div className={styles.toolbar} role="toolbar" aria-label="Log">
      <TextInput
        className={styles.search}
        size="xs"
        aria-label="Search in the log"
        placeholder="Search"
        leftSection={<SearchIcon size={14} />}
        value={view.search}
        onChange={(event) => onView({ search: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') onView({ search: '' });
        }}
      />
      {view.search === '' ? null : (
        <Group gap={2} wrap="nowrap">
          <span className={styles.count} aria-live="polite">
            {matchWords(props)}
          </span>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="md"
            aria-label="Previous match"
            disabled={props.matches === 0}
            onClick={() => props.onStep(-1)}
          >
            <ArrowUpIcon size={15} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="md"
            aria-label="Next match"
            disabled={props.matches === 0}
            onClick={() => props.onStep(1)}
          >
            <ArrowDownIcon size={15} />
          </ActionIcon>
        </Group>
      )}
      <Group gap={4} ml="auto" wrap="nowrap">
        {props.live ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={props.paused ? <PlayIcon size={14} /> : <PauseIcon size={14} />}
            onClick={props.onPause}
          >
            {props.paused ? 'Resume' : 'Pause'}
          </Button>
        ) : null}
        <Popover position="bottom-end" withinPortal trapFocus>
          <Popover.Target>
            <Button size="compact-sm" variant="default" leftSection={<SlidersHorizontalIcon size={14} />}>
              View
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <Stack gap="xs">
              {streamNames.map(({ value, label }) => (
                <Checkbox
                  key={value}
                  size="sm"
                  label={label}
                  checked={view.streams.has(value)}
                  onChange={(event) => toggle(value, event.currentTarget.checked)}
                />
              ))}
              <hr className={styles.rule} />
              <Checkbox
                size="sm"
                label="Times"
                checked={view.withTime}
                onChange={(event) => onView({ withTime: event.currentTarget.checked })}
              />
              <Checkbox
                size="sm"
                label="Wrap long lines"
                checked={view.wrap}
                onChange={(event) => onView({ wrap: event.currentTarget.checked })}
              />
            </Stack>
          </Popover.Dropdown>
        </Popover>
        <Tooltip label="Download the whole log">
          <ActionIcon
            variant="default"
            size={26}
            aria-label="Download the log"
            loading={props.downloading}
            onClick={props.onDownload}
          >
            <DownloadIcon size={15} />
          </ActionIcon>
        </Tooltip>
      </Group>
    </div>
  );
}

function matchWords({ matches, match, searched }: LogToolbarProps): string {
  const progress = searched < 100 ? `, searched ${searched} %` : '';
  if (matches === 0) return searched < 100 ? `searched ${searched} %` : 'no match';
  return `${formatCount(match)} of ${formatCount(matches)}${progress}`;
}
