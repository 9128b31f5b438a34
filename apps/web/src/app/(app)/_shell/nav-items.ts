import { IconLayoutDashboard, IconMailX, IconPlus, IconServer2, IconSettings, IconStack2 } from '@tabler/icons-react';

const navItems = [
  { href: '/', label: 'Overview', icon: IconLayoutDashboard },
  { href: '/tasks', label: 'Tasks', icon: IconStack2 },
  { href: '/workers', label: 'Workers', icon: IconServer2 },
  { href: '/settings', label: 'Settings', icon: IconSettings },
] as const;

const adminItems = [{ href: '/admin/dead-letters', label: 'Dead letters', icon: IconMailX }] as const;

/** The server decides who may; this only spares others a page that they would be refused. */
export function navItemsFor(role: string | undefined) {
  return role === 'admin' ? [...navItems, ...adminItems] : navItems;
}

export const submitItem = { href: '/tasks/new', label: 'Submit task', icon: IconPlus } as const;

export function isCurrent(href: string, pathname: string): boolean {
  return href === '/' ? pathname === '/' : pathname === href || pathname.startsWith(`${href}/`);
}
