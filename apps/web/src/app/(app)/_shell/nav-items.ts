import { IconLayoutDashboard, IconPlus, IconServer2, IconSettings, IconStack2 } from '@tabler/icons-react';

export const navItems = [
  { href: '/', label: 'Overview', icon: IconLayoutDashboard },
  { href: '/tasks', label: 'Tasks', icon: IconStack2 },
  { href: '/workers', label: 'Workers', icon: IconServer2 },
  { href: '/settings', label: 'Settings', icon: IconSettings },
] as const;

export const submitItem = { href: '/tasks/new', label: 'Submit task', icon: IconPlus } as const;

export function isCurrent(href: string, pathname: string): boolean {
  return href === '/' ? pathname === '/' : pathname === href || pathname.startsWith(`${href}/`);
}
