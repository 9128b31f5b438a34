'use client';
import { useMutation } from '@apollo/client/react';
import { Alert, Button, Checkbox, CopyButton, Modal, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useSessionState } from '@/features/auth/components/session-context';
import { CreateApiKeyDocument } from '@/gql/graphql';
import { problemOf, type Problem } from '@/lib/problem';
import styles from './settings.module.css';

const scopes = [
  { value: 'tasks:read', label: 'Read tasks and logs' },
  { value: 'tasks:write', label: 'Submit, cancel, retry and delete tasks' },
  { value: 'workers:read', label: 'Read workers' },
  { value: 'telemetry:read', label: 'Read metrics' },
] as const;
const adminScope = { value: 'admin', label: 'Everything an admin may do' } as const;
const DAY_MS = 86_400_000;
const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
  { value: '', label: 'Does not expire' },
];

interface Props {
  onClose: () => void;
  onCreated: () => void;
}

export function CreateApiKeyModal({ onClose, onCreated }: Props) {
  // The key is forgotten with the closed dialogue: it can never be shown again.
  return (
    <Modal opened onClose={onClose} title="Create an API key" closeOnClickOutside={false}>
      <CreateApiKey onClose={onClose} onCreated={onCreated} />
    </Modal>
  );
}

function CreateApiKey({ onClose, onCreated }: Props) {
  const state = useSessionState();
  const [create] = useMutation(CreateApiKeyDocument, { fetchPolicy: 'no-cache' });
  const [key, setKey] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<string[]>(scopes.map((scope) => scope.value));
  const [lifetime, setLifetime] = useState('90');
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name: '' } });
  const offered = state.status === 'signed_in' && state.user.role === 'admin' ? [...scopes, adminScope] : scopes;

  const submit = async ({ name }: { name: string }) => {
    setProblem(null);
    try {
      const { data } = await create({
        variables: {
          name: name.trim(),
          scopes: chosen,
          ...(lifetime === '' ? {} : { expiresAt: Date.now() + Number(lifetime) * DAY_MS }),
        },
      });
      if (data === undefined) return;
      setKey(data.createApiKey.key);
      onCreated();
    } catch (thrown) {
      setProblem(problemOf(thrown));
    }
  };

  if (key !== null) {
    return (
      <Stack gap="md">
        <Alert color="yellow" title="Copy it now">
          This is the only time the key is shown.
        </Alert>
        <code className={styles.secret} data-testid="api-key">
          {key}
        </code>
        <CopyButton value={key}>
          {({ copied, copy }) => <Button onClick={copy}>{copied ? 'Copied' : 'Copy the key'}</Button>}
        </CopyButton>
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
      </Stack>
    );
  }
  return (
    <form onSubmit={(event) => void handleSubmit(submit)(event)} noValidate method="post">
      <Stack gap="md">
        {problem ? (
          <Alert color="red" title={problem.message} role="alert">
            <span className="mono soft">{problem.code}</span>
          </Alert>
        ) : null}
        <TextInput
          label="Name"
          placeholder="build server"
          data-autofocus
          error={
            formState.errors.name?.message ?? problem?.fields.find((field) => field.path.endsWith('name'))?.message
          }
          {...register('name', {
            validate: (value) => value.trim() !== '' || 'Name the key.',
            maxLength: { value: 100, message: 'Use at most 100 characters.' },
          })}
        />
        <Checkbox.Group
          label="It may"
          value={chosen}
          onChange={setChosen}
          error={chosen.length === 0 ? 'Choose at least one.' : undefined}
        >
          <Stack gap={6} mt={6}>
            {offered.map((scope) => (
              <Checkbox key={scope.value} value={scope.value} label={scope.label} />
            ))}
          </Stack>
        </Checkbox.Group>
        <NativeSelect
          label="Lifetime"
          data={lifetimes}
          value={lifetime}
          onChange={(event) => setLifetime(event.currentTarget.value)}
        />
        <Button type="submit" loading={formState.isSubmitting} disabled={chosen.length === 0}>
          Create
        </Button>
      </Stack>
    </form>
  );
}
