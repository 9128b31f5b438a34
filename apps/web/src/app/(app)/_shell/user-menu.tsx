'use client';
import { Avatar, Menu, UnstyledButton } from '@mantine/core';
import { LogOutIcon, SettingsIcon } from 'lucide-react';
import Link from 'next/link';
import { toastProblem } from '@/components/ui/toast';
import { useSessionAccess, useSessionState } from '@/features/auth/components/session-context';

export function UserMenu() {
  const access = useSessionAccess();
  const state = useSessionState();
  if (state.status !== 'signed_in') return null;
  const { name, email, role } = state.user;
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <UnstyledButton aria-label={`${initials(name)}, account of ${name}`} style={{ borderRadius: '50%' }}>
          <Avatar size={30} radius="xl" color="harbor" variant="filled">
            {initials(name)}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div style={{ padding: '6px 12px 10px' }}>
          <div style={{ fontWeight: 600, overflowWrap: 'anywhere' }}>{name}</div>
          <div className="soft" style={{ fontSize: 12.5, overflowWrap: 'anywhere' }}>
            {email}
          </div>
          <div className="soft" style={{ fontSize: 12.5 }}>
            {role}
          </div>
        </div>
        <Menu.Divider />
        <Menu.Item component={Link} href="/settings" leftSection={<SettingsIcon size={16} />}>
          Settings
        </Menu.Item>
        <Menu.Item
          leftSection={<LogOutIcon size={16} />}
          onClick={() => void access?.session.signOut().catch(toastProblem)}
        >
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  return `${parts[0]?.charAt(0) ?? ''}${parts.length > 1 ? (parts.at(-1)?.charAt(0) ?? '') : ''}`.toUpperCase();
}
