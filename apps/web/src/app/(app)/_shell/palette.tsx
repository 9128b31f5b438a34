'use client';
import { useApolloClient } from '@apollo/client/react';
import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { SearchIcon, LayersIcon } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useEffect, useId, useState, type KeyboardEvent, type ReactNode } from 'react';
import { shortId } from '@/components/ui/copy-id';
import { useSessionState } from '@/features/auth/components/session-context';
import { TaskStatusPill } from '@/features/tasks/components/task-status-pill';
import { TaskListDocument, type TaskRowFragment } from '@/gql/graphql';
import { navItemsFor, submitItem } from './nav-items';
import styles from './palette.module.css';

interface Entry {
  readonly id: string;
  readonly href: string;
  readonly label: string;
  readonly icon: ReactNode;
  readonly aside?: ReactNode;
}

const pagesFor = (role: string | undefined): readonly Entry[] =>
  [submitItem, ...navItemsFor(role)].map(({ href, label, icon: Icon }) => ({
    id: href,
    href,
    label,
    icon: <Icon size={17} />,
  }));

/** Ctrl/Cmd-K: pages, and tasks by name or id. */
export function Palette({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const listId = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const tasks = useFoundTasks(text);
  const session = useSessionState();
  const role = session.status === 'signed_in' ? session.user.role : undefined;
  const needle = text.trim().toLowerCase();
  const entries: Entry[] = [
    ...pagesFor(role).filter((page) => page.label.toLowerCase().includes(needle)),
    ...tasks.map((task) => ({
      id: task.id,
      href: `/tasks/${task.id}`,
      label: task.name,
      icon: <LayersIcon size={17} />,
      aside: (
        <>
          <span className="mono soft">{shortId(task.id)}</span>
          <TaskStatusPill status={task.status} />
        </>
      ),
    })),
  ];
  const current = Math.min(active, Math.max(0, entries.length - 1));

  const open = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    router.push(entry.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && entries.length > 0) {
      event.preventDefault();
      setActive((current + step + entries.length) % entries.length);
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      open(entries[current]);
    }
  };

  useEffect(() => {
    document.getElementById(`${listId}-${current}`)?.scrollIntoView({ block: 'nearest' });
  }, [listId, current]);

  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      size={560}
      yOffset="12vh"
      centered={false}
      aria-label="Go to"
    >
      <TextInput
        data-autofocus
        variant="unstyled"
        size="md"
        leftSection={<SearchIcon size={17} />}
        placeholder="A page, or a task by name or id"
        aria-label="Go to"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={entries.length > 0 ? `${listId}-${current}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className={styles.input}
      />
      <ul id={listId} role="listbox" aria-label="Places" className={styles.list}>
        {entries.map((entry, index) => (
          <li
            key={entry.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === current}
            className={styles.entry}
            onClick={() => open(entry)}
            onMouseMove={() => setActive(index)}
          >
            <span className={styles.icon}>{entry.icon}</span>
            <span className="truncate">{entry.label}</span>
            <span className={styles.aside}>{entry.aside}</span>
          </li>
        ))}
        {entries.length === 0 ? <li className={styles.none}>Nothing found.</li> : null}
      </ul>
    </Modal>
  );
}

/** Recent tasks, or those that the text finds. */
function useFoundTasks(text: string): readonly TaskRowFragment[] {
  const client = useApolloClient();
  const [search] = useDebouncedValue(text.trim(), 180);
  const [tasks, setTasks] = useState<readonly TaskRowFragment[]>([]);
  useEffect(() => {
    let current = true;
    client
      .query({
        query: TaskListDocument,
        variables: { filter: search === '' ? {} : { search }, sort: 'created', descending: true, first: 8 },
        fetchPolicy: 'no-cache',
      })
      .then(({ data }) => {
        if (current && data) setTasks(data.tasks.edges.map((edge) => edge.node));
      })
      // The pages can still be reached.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [client, search]);
  return tasks;
}
