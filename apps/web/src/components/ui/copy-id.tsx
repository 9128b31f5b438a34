'use client';
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { CheckIcon, CopyIcon } from 'lucide-react';

/** A monospaced value with a button that copies all of it, however much is shown. */
export function CopyId({ value, shown = value, label = 'id' }: { value: string; shown?: string; label?: string }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 2, maxWidth: '100%' }}>
      <span className="mono truncate" title={value}>
        {shown}
      </span>
      <CopyButton value={value} timeout={1_500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : `Copy ${label}`}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={24}
              onClick={copy}
              aria-label={copied ? `${label} copied` : `Copy ${label}`}
            >
              {copied ? <CheckIcon size={14} /> : <CopyIcon size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}

/** The last eight characters: UUIDv7 begin alike when they are made in the same minute. */
export const shortId = (id: string) => (id.length > 12 ? `…${id.slice(-8)}` : id);
