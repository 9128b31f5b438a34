'use client';
import { MantineProvider } from '@mantine/core';
import type { ReactNode } from 'react';
import { theme } from './theme';

export function ThemeProvider({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" {...(nonce === undefined ? {} : { getStyleNonce: () => nonce })}>
      {children}
    </MantineProvider>
  );
}
