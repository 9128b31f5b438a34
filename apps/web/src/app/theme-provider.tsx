'use client';
import { MantineProvider, type CSSVariablesResolver } from '@mantine/core';
import type { ReactNode } from 'react';
import { theme } from './theme';

// Mantine writes its own values at run time; ours go through its resolver so that they win.
const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f7f9',
    '--mantine-color-text': '#1b2430',
    '--mantine-color-dimmed': '#566172',
    '--mantine-color-placeholder': '#6b7686',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-default': '#ffffff',
  },
  dark: {
    '--mantine-color-body': '#11151b',
    '--mantine-color-text': '#e3e8ef',
    '--mantine-color-dimmed': '#9ba6b6',
    '--mantine-color-placeholder': '#8792a2',
    '--mantine-color-error': '#ff9d95',
    '--mantine-color-default': '#1f262f',
  },
});

export function ThemeProvider({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      cssVariablesResolver={cssVariables}
      {...(nonce === undefined ? {} : { getStyleNonce: () => nonce })}
    >
      {children}
    </MantineProvider>
  );
}
