'use client';
import { NativeSelect } from '@mantine/core';

/** Chooses whose lines are shown; null = always the newest attempt. */
export function AttemptPicker({
  attempts,
  value,
  onChange,
}: {
  attempts: readonly number[];
  value: number;
  onChange: (attempt: number | null) => void;
}) {
  if (attempts.length < 2) return null;
  const newest = Math.max(...attempts);
  return (
    <NativeSelect
      size="xs"
      aria-label="Attempt"
      value={String(value)}
      data={[...attempts].reverse().map((attempt) => ({
        value: String(attempt),
        label: `Attempt ${attempt}${attempt === newest ? ' (newest)' : ''}`,
      }))}
      onChange={(event) => {
        const next = Number(event.currentTarget.value);
        onChange(next === newest ? null : next);
      }}
    />
  );
}
