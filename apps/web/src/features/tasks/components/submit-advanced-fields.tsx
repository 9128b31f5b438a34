import { NativeSelect, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturn } from 'react-hook-form';
import { formatDuration, formatMebibytes } from '@/lib/format';
import type { SubmitValues } from '../model/submit-values';
import { PairListInput } from './pair-list-input';
import { NumberField } from './submit-number-field';

export const advancedFields = [
  'queue',
  'priority',
  'timeoutSeconds',
  'retries',
  'retryMemoryFactor',
  'retryMemoryMaxMb',
  'leaseSeconds',
  'network',
  'workerLabels',
  'labels',
  'description',
] as const;

/** What most tasks leave as it is. */
export function AdvancedFields({ form }: { form: UseFormReturn<SubmitValues> }) {
  const { control, register, formState } = form;
  const { errors } = formState;
  return (
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
        <NumberField
          control={control}
          errors={errors}
          name="retryMemoryFactor"
          label="Memory of a retry (times)"
          min={1}
          max={4}
          step={0.5}
          decimals
          placeholder="1"
          note="After running out of memory: so many times what the attempt before had."
        />
        <NumberField
          control={control}
          errors={errors}
          name="retryMemoryMaxMb"
          label="Most memory of a retry (MiB)"
          min={8}
          step={256}
          placeholder="no limit"
          hint={formatMebibytes}
        />
        <NumberField
          control={control}
          errors={errors}
          name="leaseSeconds"
          label="Lease (seconds)"
          min={15}
          max={604_800}
          step={60}
          placeholder="60"
          note="How long its worker may be out of touch before the task is stopped there and placed again. Long for training runs that must not start over."
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
  );
}
