'use client';
import { useQuery } from '@apollo/client/react';
import { SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { PageHeader } from '@/components/ui/page-header';
import { Panel } from '@/components/ui/panel';
import { ProblemPanel } from '@/components/ui/problem-panel';
import { toastDone } from '@/components/ui/toast';
import { PasswordFields } from '@/features/auth/components/password-fields';
import { MySettingsDocument } from '@/gql/graphql';
import { ApiKeys } from './api-keys';
import { ProfileForm } from './profile-form';
import { Sessions } from './sessions';

export function SettingsPage() {
  const { data, error, refetch } = useQuery(MySettingsDocument);
  const reload = () => void refetch().catch(() => undefined);
  return (
    <>
      <PageHeader title="Settings" />
      {data === undefined ? (
        error ? (
          <Panel>
            <ProblemPanel error={error} onRetry={reload} />
          </Panel>
        ) : (
          <Skeleton height={420} aria-label="Loading the settings" />
        )
      ) : (
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
            <Panel title="Profile">
              <ProfileForm me={data.me} />
            </Panel>
            <Panel title="Password">
              <PasswordFields
                submitLabel="Change password"
                onChanged={() => {
                  toastDone('Password changed', 'Your other sessions were ended.');
                  reload();
                }}
              />
            </Panel>
          </SimpleGrid>
          <ApiKeys keys={data.myApiKeys} onChanged={reload} />
          <Sessions sessions={data.mySessions} onChanged={reload} />
        </Stack>
      )}
    </>
  );
}
