'use client';
import { Alert, Button, Collapse, Group, SimpleGrid, Stack, TagsInput, TextInput } from '@mantine/core';
import { ChevronDownIcon, ChevronRightIcon } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { Controller, useForm } from 'react-hook-form';
import { Panel } from '@/components/ui/panel';
import { formatMebibytes } from '@/lib/format';
import type { SubmitValues } from '../model/submit-values';
import { AcceptedNote } from './accepted-note';
import { CommandInput } from './command-input';
import { PairListInput } from './pair-list-input';
import { AdvancedFields, advancedFields } from './submit-advanced-fields';
import { NumberField } from './submit-number-field';
import { submitResolver } from './submit-resolver';
import { useSubmitTask, type After } from './use-submit-task';

export function SubmitTaskForm({ initial }: { initial: SubmitValues }) {
  const form = useForm<SubmitValues>({
    defaultValues: initial,
    resolver: submitResolver,
    mode: 'onSubmit',
    reValidateMode: 'onChange',
  });
  const { control, register, handleSubmit, formState } = form;
  const { errors } = formState;
  const { submit, problem, accepted, leaving } = useSubmitTask(form);
  const [pressed, setPressed] = useState<After>('open');
  const send = (after: After) => {
    setPressed(after);
    void handleSubmit((values) => submit(values, after))();
  };
  const busy = formState.isSubmitting || leaving;
  const [opened, setOpened] = useState(false);
  // A wrong field must be seen.
  const advanced = opened || advancedFields.some((field) => errors[field] !== undefined);

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send('open');
      }}
      noValidate
      aria-label="Submit a task"
      method="post"
    >
      <Stack gap="md" maw={860}>
        {problem === null && errors.root === undefined && accepted === null ? null : (
          <div>
            {problem !== null ? (
              <Alert color="red" title={problem.message} role="alert">
                {problem.fields.map((field) => (
                  <div key={field.path}>{`${field.path}: ${field.message}`}</div>
                ))}
                <span className="mono soft">{problem.code}</span>
              </Alert>
            ) : null}
            {errors.root?.message ? <Alert color="red" title={errors.root.message} role="alert" /> : null}
            {accepted !== null ? <AcceptedNote accepted={accepted} /> : null}
          </div>
        )}

        <Panel title="What runs">
          <Stack gap="md">
            <TextInput
              label="Name"
              withAsterisk
              placeholder="nightly-report"
              autoFocus
              error={errors.name?.message}
              {...register('name')}
            />
            <TextInput
              label="Image"
              withAsterisk
              placeholder="busybox:latest"
              spellCheck={false}
              autoCapitalize="off"
              description="An image reference: registry, name, tag or digest."
              error={errors.image?.message}
              {...register('image')}
            />
            <CommandInput control={control} error={errors.commandLine?.message} />
            <PairListInput
              name="env"
              title="Environment"
              hint="Names are letters, digits and “_”."
              entry="variable"
              control={control}
              register={register}
              errors={errors}
            />
          </Stack>
        </Panel>

        <Panel title="What it needs">
          <Stack gap="md">
            <SimpleGrid cols={{ base: 1, xs: 3 }}>
              <NumberField
                control={control}
                errors={errors}
                name="cpu"
                label="CPU cores"
                min={0.01}
                step={0.5}
                decimals
              />
              <NumberField
                control={control}
                errors={errors}
                name="memoryMb"
                label="Memory (MiB)"
                min={8}
                step={256}
                hint={formatMebibytes}
              />
              <NumberField
                control={control}
                errors={errors}
                name="storageMb"
                label="Scratch space (MiB)"
                min={0}
                step={1024}
                hint={formatMebibytes}
              />
            </SimpleGrid>
            <SimpleGrid cols={{ base: 1, xs: 3 }}>
              <NumberField control={control} errors={errors} name="gpuCount" label="GPUs" min={0} max={64} />
              <TextInput
                label="GPU model"
                placeholder="any"
                description="Part of its name, such as A100."
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                error={errors.gpuModel?.message}
                {...register('gpuModel')}
              />
              <NumberField
                control={control}
                errors={errors}
                name="gpuMemoryMb"
                label="Memory per GPU (MiB)"
                min={1}
                step={1024}
                hint={formatMebibytes}
                placeholder="any"
              />
            </SimpleGrid>
          </Stack>
        </Panel>

        <Panel title="How it is found">
          <Controller
            control={control}
            name="tags"
            render={({ field }) => (
              <TagsInput
                label="Tags"
                description="Write one and press Enter."
                value={field.value}
                onChange={field.onChange}
                onBlur={field.onBlur}
                ref={field.ref}
                error={firstMessage(errors.tags)}
                acceptValueOnBlur
              />
            )}
          />
        </Panel>

        <Panel
          title="Advanced"
          aside={
            <Button
              variant="subtle"
              size="compact-sm"
              rightSection={advanced ? <ChevronDownIcon size={15} /> : <ChevronRightIcon size={15} />}
              aria-expanded={advanced}
              onClick={() => setOpened(!advanced)}
            >
              {advanced ? 'Hide' : 'Queue, limits, labels, network'}
            </Button>
          }
          flush
        >
          <Collapse expanded={advanced}>
            <AdvancedFields form={form} />
          </Collapse>
        </Panel>

        <Group>
          <Button type="submit" loading={busy && pressed === 'open'} disabled={busy && pressed === 'stay'}>
            Submit task
          </Button>
          <Button
            variant="light"
            onClick={() => send('stay')}
            loading={busy && pressed === 'stay'}
            disabled={busy && pressed === 'open'}
          >
            Submit and write the next
          </Button>
          <Button component={Link} href="/tasks" variant="default">
            Back
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A list's error may hang on the list or on one of its entries. */
function firstMessage(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('message' in error && typeof error.message === 'string') return error.message;
  return Object.values(error)
    .map(firstMessage)
    .find((message) => message !== undefined);
}
