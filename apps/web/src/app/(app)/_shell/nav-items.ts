import { LayoutDashboardIcon, MailXIcon, PlusIcon, ServerIcon, SettingsIcon, LayersIcon } from 'lucide-react';

const navItems = [
  { href: '/', label: 'Overview', icon: LayoutDashboardIcon },
  { href: '/tasks', label: 'Tasks', icon: LayersIcon },
  { href: '/workers', label: 'Workers', icon: ServerIcon },
  { href: '/settings', label: 'Settings', icon: SettingsIcon },
] as const;

const adminItems = [{ href: '/admin/dead-letters', label: 'Dead letters', icon: MailXIcon }] as const;

/** The server decides who may; this only spares others a page that they would be refused. */
export function navItemsFor(role: string | undefined) {
  return role === 'admin' ? [...navItems, ...adminItems] : navItems;
}

export const submitItem = { href: '/tasks/new', label: 'Submit task', icon: PlusIcon } as const;

export function isCurrent(href: string, pathname: string): boolean {
  return href === '/' ? pathname === '/' : pathname === href || pathname.startsWith(`${href}/`);
}
