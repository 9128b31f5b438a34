'use client';
import { Button, MultiSelect, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { isFiltered, taskStatusesOf, type TaskQuery } from '../model/task-query';
import { allStatuses, statusLabel } from '../model/task-status';
import styles from './task-filters.module.css';

export interface TaskFiltersProps {
  query: TaskQuery;
  workers: readonly { id: string; name: string }[];
  onChange: (change: Partial<TaskQuery>) => void;
}

const statusOptions = allStatuses.map((value) => ({ value, label: statusLabel[value] }));

export function TaskFilters({ query, workers, onChange }: TaskFiltersProps) {
  const options = workers.map(({ id, name }) => ({ value: id, label: name }));
  // A worker of the past is still a good filter.
  if (query.worker && !options.some((option) => option.value === query.worker)) options.push({ value: query.worker, label: query.worker });
  return (
    <div className={styles.filters} role="search" aria-label="Filter tasks">
      <DelayedInput label="Search by name or id" placeholder="Name or id" value={query.search ?? ''} onChange={(search) => onChange({ search })} withIcon />
      <MultiSelect
        size="sm"
        aria-label="Status"
        placeholder={query.statuses.length === 0 ? 'Any status' : undefined}
        data={statusOptions}
        value={[...query.statuses]}
        onChange={(values) => onChange({ statuses: taskStatusesOf(values) })}
        clearable
        className={styles.wide}
      />
      <Select
        size="sm"
        aria-label="Worker"
        placeholder="Any worker"
        data={options}
        value={query.worker}
        onChange={(worker) => onChange({ worker })}
        clearable
        searchable
        nothingFoundMessage="No worker of that name"
      />
      <DelayedInput label="Tag" placeholder="Any tag" value={query.tag ?? ''} onChange={(tag) => onChange({ tag })} />
      {isFiltered(query) ? (
        <Button variant="subtle" size="sm" onClick={() => onChange({ statuses: [], worker: null, tag: null, search: null })}>
          Clear
        </Button>
      ) : null}
    </div>
  );
}

/** Asks the server when typing rests, not at every key. */
function DelayedInput({ label, placeholder, value, onChange, withIcon = false }: { label: string; placeholder: string; value: string; onChange: (value: string) => void; withIcon?: boolean }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), 250);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only typing starts the timer
  }, [text]);
  return (
    <TextInput
      size="sm"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      leftSection={withIcon ? <IconSearch size={15} /> : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
