'use client';
import { Tooltip } from '@mantine/core';
import { formatDateTime, formatRelative } from '@/lib/format';
import { useNow } from '@/lib/use-now';

/** "5 m ago", with the exact local time on hover and focus. */
export function RelativeTime({ time }: { time: number | null | undefined }) {
  const now = useNow();
  if (time === null || time === undefined) return <span className="soft">–</span>;
  return (
    <Tooltip label={formatDateTime(time)} events={{ hover: true, focus: true, touch: true }}>
      <time dateTime={new Date(time).toISOString()} style={{ whiteSpace: 'nowrap' }}>
        {formatRelative(time, now)}
      </time>
    </Tooltip>
  );
}
