'use client';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { SearchIcon } from 'lucide-react';
import { useEffect, useState, type CSSProperties } from 'react';
import type { TaskStatus } from '@/gql/graphql';
import { isFiltered, type TaskQuery } from '../model/task-query';
import { allStatuses, statusLabel } from '../model/task-status';
import styles from './task-filters.module.css';

export interface TaskFiltersProps {
  query: TaskQuery;
  workers: readonly { id: string; name: string }[];
  onChange: (change: Partial<TaskQuery>) => void;
}

export function TaskFilters({ query, workers, onChange }: TaskFiltersProps) {
  const options = [{ value: '', label: 'Any worker' }, ...workers.map(({ id, name }) => ({ value: id, label: name }))];
  // A worker of the past is still a good filter.
  if (query.worker && !workers.some((worker) => worker.id === query.worker))
    options.push({ value: query.worker, label: query.worker });
  const toggle = (status: TaskStatus) =>
    onChange({
      statuses: query.statuses.includes(status)
        ? query.statuses.filter((other) => other !== status)
        : allStatuses.filter((each) => each === status || query.statuses.includes(each)),
    });
  return (
    <div className={styles.filters} role="search" aria-label="Filter tasks">
      <div className={styles.inputs}>
        <DelayedInput
          label="Search by name or id"
          placeholder="Name or id"
          value={query.search ?? ''}
          onChange={(search) => onChange({ search })}
          withIcon
        />
        <NativeSelect
          size="sm"
          aria-label="Worker"
          data={options}
          value={query.worker ?? ''}
          onChange={(event) => onChange({ worker: event.currentTarget.value })}
        />
        <DelayedInput label="Tag" placeholder="Any tag" value={query.tag ?? ''} onChange={(tag) => onChange({ tag })} />
      </div>
      <div className={styles.statuses} role="group" aria-label="Status">
        {allStatuses.map((status) => (
          <button
            key={status}
            type="button"
            className={styles.status}
            aria-pressed={query.statuses.includes(status)}
            style={{ '--tone': `var(--status-${status})` } as CSSProperties}
            onClick={() => toggle(status)}
          >
            <span className={styles.dot} aria-hidden="true" />
            {statusLabel[status]}
          </button>
        ))}
        {isFiltered(query) ? (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => onChange({ statuses: [], worker: null, tag: null, search: null })}
          >
            Clear
          </Button>
        ) : null}
      </div>
    </div>
  );
}

interface DelayedInputProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
  withIcon?: boolean;
}

/** Asks the server when typing rests, not at every key. */
function DelayedInput({ label, placeholder, value, onChange, withIcon = false }: DelayedInputProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), 250);
    return () => clearTimeout(timer);
    // Only typing starts the timer
  }, [text]);
  return (
    <TextInput
      size="sm"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      leftSection={withIcon ? <SearchIcon size={15} /> : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
