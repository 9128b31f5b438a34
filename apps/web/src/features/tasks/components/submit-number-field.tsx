import { NumberInput } from '@mantine/core';
import { Controller, type Control, type FieldErrors } from 'react-hook-form';
import type { SubmitValues } from '../model/submit-values';

type NumberName =
  | 'cpu'
  | 'memoryMb'
  | 'storageMb'
  | 'gpuCount'
  | 'gpuMemoryMb'
  | 'priority'
  | 'timeoutSeconds'
  | 'retries'
  | 'retryMemoryFactor'
  | 'retryMemoryMaxMb'
  | 'leaseSeconds';

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

export function NumberField({
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
