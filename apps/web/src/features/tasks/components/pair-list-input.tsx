'use client';
import { ActionIcon, Button, Group, Stack, TextInput } from '@mantine/core';
import { PlusIcon, XIcon } from 'lucide-react';
import { useFieldArray, type Control, type FieldErrors, type UseFormRegister } from 'react-hook-form';
import type { SubmitValues } from '../model/submit-values';

export interface PairListInputProps {
  name: 'env' | 'labels' | 'workerLabels';
  title: string;
  hint: string;
  /** What one entry is called: "variable". */
  entry: string;
  control: Control<SubmitValues>;
  register: UseFormRegister<SubmitValues>;
  errors: FieldErrors<SubmitValues>;
}

/** A list of names and values. */
export function PairListInput({ name, title, hint, entry, control, register, errors }: PairListInputProps) {
  const { fields, append, remove } = useFieldArray({ control, name });
  const own = errors[name];
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
      <legend style={{ padding: 0, fontSize: 14, fontWeight: 600 }}>{title}</legend>
      <div className="soft" style={{ fontSize: 12, marginBottom: 6 }}>
        {hint}
      </div>
      <Stack gap={6}>
        {fields.map((field, index) => (
          <Group key={field.id} gap={6} align="flex-start" wrap="nowrap">
            <TextInput
              style={{ flex: 1, minWidth: 0 }}
              aria-label={`Name of ${entry} ${index + 1}`}
              placeholder="name"
              className="mono"
              error={own?.[index]?.key?.message}
              {...register(`${name}.${index}.key`)}
            />
            <TextInput
              style={{ flex: 1.6, minWidth: 0 }}
              aria-label={`Value of ${entry} ${index + 1}`}
              placeholder="value"
              error={own?.[index]?.value?.message}
              {...register(`${name}.${index}.value`)}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              aria-label={`Remove ${entry} ${index + 1}`}
              onClick={() => remove(index)}
            >
              <XIcon size={16} />
            </ActionIcon>
          </Group>
        ))}
        {typeof own?.message === 'string' ? (
          <div role="alert" style={{ color: 'var(--mantine-color-error)', fontSize: 12 }}>
            {own.message}
          </div>
        ) : null}
        <div>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<PlusIcon size={14} />}
            onClick={() => append({ key: '', value: '' })}
          >
            {`Add ${entry}`}
          </Button>
        </div>
      </Stack>
    </fieldset>
  );
}
