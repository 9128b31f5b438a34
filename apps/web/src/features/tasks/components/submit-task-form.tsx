'use client';
import {
  Alert,
  Button,
  Collapse,
  Group,
  NativeSelect,
  NumberInput,
  SimpleGrid,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import Link from 'next/link';
import { useState } from 'react';
import { Controller, useForm, type Control, type FieldErrors } from 'react-hook-form';
import { Panel } from '@/components/ui/panel';
import { formatDuration, formatMebibytes } from '@/lib/format';
import type { SubmitValues } from '../model/submit-values';
import { CommandInput } from './command-input';
import { PairListInput } from './pair-list-input';
import { submitResolver } from './submit-resolver';
import { useSubmitTask } from './use-submit-task';

const advancedFields = [
  'queue',
  'priority',
  'timeoutSeconds',
  'retries',
  'network',
  'workerLabels',
  'labels',
  'description',
] as const;

export function SubmitTaskForm({ initial }: { initial: SubmitValues }) {
  const form = useForm<SubmitValues>({
    defaultValues: initial,
    resolver: submitResolver,
    mode: 'onSubmit',
    reValidateMode: 'onChange',
  });
  const { control, register, handleSubmit, formState } = form;
  const { errors } = formState;
  const { submit, problem, accepted } = useSubmitTask(form);
  const [opened, setOpened] = useState(false);
  // A wrong field must be seen.
  const advanced = opened || advancedFields.some((field) => errors[field] !== undefined);

  return (
    <form onSubmit={(event) => void handleSubmit(submit)(event)} noValidate aria-label="Submit a task" method="post">
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
            {accepted !== null ? (
              <Alert color="teal" title={accepted.duplicate ? 'It had been accepted before' : 'Accepted'} role="status">
                {accepted.queuePosition === null ? (
                  'It left the queue already.'
                ) : (
                  <span data-testid="queue-position">{`Position ${accepted.queuePosition} in the queue.`}</span>
                )}
              </Alert>
            ) : null}
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
              rightSection={advanced ? <IconChevronDown size={15} /> : <IconChevronRight size={15} />}
              aria-expanded={advanced}
              onClick={() => setOpened(!advanced)}
            >
              {advanced ? 'Hide' : 'Queue, limits, labels, network'}
            </Button>
          }
          flush
        >
          <Collapse expanded={advanced}>
            <Stack gap="md" p="md">
              <Textarea
                label="Description"
                autosize
                minRows={2}
                maxRows={8}
                error={errors.description?.message}
                {...register('description')}
              />
              <SimpleGrid cols={{ base: 1, xs: 2 }}>
                <TextInput label="Queue" error={errors.queue?.message} {...register('queue')} />
                <NumberField
                  control={control}
                  errors={errors}
                  name="priority"
                  label="Priority"
                  min={-100}
                  max={100}
                  note="-100 to 100; higher runs first."
                />
                <NumberField
                  control={control}
                  errors={errors}
                  name="timeoutSeconds"
                  label="Time limit (seconds)"
                  min={1}
                  step={60}
                  hint={(value) => formatDuration(value * 1_000)}
                />
                <NumberField
                  control={control}
                  errors={errors}
                  name="retries"
                  label="Retries"
                  min={0}
                  max={100}
                  note="After an error of the program, out of memory or a time-out."
                />
              </SimpleGrid>
              <NativeSelect
                label="Network"
                data={[
                  { value: 'none', label: 'None (safest)' },
                  { value: 'bridge', label: 'Bridge of its own' },
                ]}
                error={errors.network?.message}
                {...register('network')}
              />
              <PairListInput
                name="labels"
                title="Labels"
                hint="For your own bookkeeping."
                entry="label"
                control={control}
                register={register}
                errors={errors}
              />
              <PairListInput
                name="workerLabels"
                title="Worker labels"
                hint="Only workers that carry all of these are considered."
                entry="worker label"
                control={control}
                register={register}
                errors={errors}
              />
            </Stack>
          </Collapse>
        </Panel>

        <Group>
          <Button type="submit" loading={formState.isSubmitting || accepted !== null}>
            Submit task
          </Button>
          <Button component={Link} href="/tasks" variant="default">
            Back
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type NumberName =
  'cpu' | 'memoryMb' | 'storageMb' | 'gpuCount' | 'gpuMemoryMb' | 'priority' | 'timeoutSeconds' | 'retries';

interface NumberFieldProps {
  control: Control<SubmitValues>;
  errors: FieldErrors<SubmitValues>;
  name: NumberName;
  label: string;
  min?: number;
  max?: number;
  step?: number;
  decimals?: boolean;
  placeholder?: string;
  note?: string;
  /** The number in the unit people think in. */
  hint?: (value: number) => string;
}

function NumberField({
  control,
  errors,
  name,
  label,
  min,
  max,
  step,
  decimals = false,
  placeholder,
  note,
  hint,
}: NumberFieldProps) {
  return (
    <Controller
      control={control}
      name={name}
      render={({ field }) => (
        <NumberInput
          label={label}
          {...(min === undefined ? {} : { min })}
          {...(max === undefined ? {} : { max })}
          step={step ?? 1}
          allowDecimal={decimals}
          // The message of the rule is better than a silently changed number.
          clampBehavior="none"
          placeholder={placeholder}
          description={note ?? (hint && typeof field.value === 'number' ? hint(field.value) : undefined)}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={field.value}
          onChange={(value) => field.onChange(typeof value === 'number' ? value : value === '' ? '' : Number(value))}
          onBlur={field.onBlur}
          ref={field.ref}
          error={errors[name]?.message}
        />
      )}
    />
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
