import { ColorSchemeScript, mantineHtmlProps } from '@mantine/core';
import '@mantine/core/styles.css';
import './globals.css';
import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { readEnvironment } from '@/environment';
import { SessionProvider } from '@/features/auth/components/session-context';
import { ThemeProvider } from './theme-provider';

export const metadata: Metadata = {
  title: { default: 'Gantry', template: '%s · Gantry' },
  description: 'Containers on a pool of machines and GPUs, live and with their whole history.',
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#181d25' },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Reading the request's headers makes every page render at request time: the API address and the nonce are of the request.
  const nonce = (await headers()).get('x-nonce') ?? undefined;
  const { api } = readEnvironment();
  return (
    <html lang="en" {...mantineHtmlProps}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" nonce={nonce} />
      </head>
      <body>
        <ThemeProvider nonce={nonce}>
          <SessionProvider api={api}>{children}</SessionProvider>
        </ThemeProvider>
      </body>
    </html>
  );
}
