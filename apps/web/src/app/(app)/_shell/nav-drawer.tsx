'use client';
import { Drawer } from '@mantine/core';
import type { ReactNode } from 'react';

export default function NavDrawer({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  return (
    <Drawer
      opened
      onClose={onClose}
      size={260}
      title="Gantry"
      closeButtonProps={{ 'aria-label': 'Close the navigation' }}
    >
      <nav aria-label="Main">{children}</nav>
    </Drawer>
  );
}
