'use client';
import { ActionIcon, Burger, Kbd, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { SearchIcon } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { useEffect, type ReactNode } from 'react';
import { ColorSchemeToggle } from '@/components/ui/color-scheme-toggle';
import { GantryLogo } from '@/components/ui/gantry-logo';
import { useSessionState } from '@/features/auth/components/session-context';
import { ConnectionBadge } from './connection-badge';
import { isCurrent, navItemsFor } from './nav-items';
import { TaskToasts } from './task-toasts';
import { UserMenu } from './user-menu';
import styles from './shell.module.css';

const NavDrawer = dynamic(() => import('./nav-drawer'), { ssr: false });
const Palette = dynamic(() => import('./palette').then((module) => module.Palette), { ssr: false });

export function Shell({ children }: { children: ReactNode }) {
  const pathname = usePathname();
  const [navOpened, nav] = useDisclosure(false);
  const [paletteOpened, palette] = useDisclosure(false);
  // Also from within inputs: it is how one leaves them.
  useHotkeys([['mod+K', palette.toggle]], []);
  useEffect(() => nav.close(), [pathname]); // closes on navigation only

  return (
    <div className={styles.shell}>
      <a className="skip-link" href="#main">
        To the content
      </a>
      <header className={styles.header}>
        <Burger className={styles.burger} opened={navOpened} onClick={nav.toggle} size="sm" aria-label="Navigation" />
        <Link href="/" className={styles.brand} aria-label="Gantry, overview">
          <GantryLogo size={26} />
          <span className={styles.brandName}>Gantry</span>
        </Link>
        <UnstyledButton className={styles.find} onClick={palette.open}>
          <SearchIcon size={15} aria-hidden="true" />
          <span>Go to …</span>
          <Kbd size="xs" ml="auto">
            Ctrl K
          </Kbd>
        </UnstyledButton>
        <div className={styles.tools}>
          <ActionIcon
            className={styles.findSmall}
            variant="subtle"
            color="gray"
            size="lg"
            aria-label="Go to …"
            onClick={palette.open}
          >
            <SearchIcon size={18} />
          </ActionIcon>
          <ConnectionBadge />
          <ColorSchemeToggle />
          <UserMenu />
        </div>
      </header>
      <div className={styles.body}>
        <nav className={styles.side} aria-label="Main">
          <NavLinks pathname={pathname} />
        </nav>
        <main id="main" className={styles.main} tabIndex={-1}>
          <div className={styles.content}>{children}</div>
        </main>
      </div>
      {navOpened ? (
        <NavDrawer onClose={nav.close}>
          <NavLinks pathname={pathname} />
        </NavDrawer>
      ) : null}
      {paletteOpened ? <Palette onClose={palette.close} /> : null}
      <TaskToasts />
    </div>
  );
}

function NavLinks({ pathname }: { pathname: string }) {
  const state = useSessionState();
  const role = state.status === 'signed_in' ? state.user.role : undefined;
  return (
    <ul className={styles.links}>
      {navItemsFor(role).map(({ href, label, icon: Icon }) => (
        <li key={href}>
          <Link href={href} className={styles.link} aria-current={isCurrent(href, pathname) ? 'page' : undefined}>
            <Icon size={18} strokeWidth={1.7} aria-hidden="true" />
            {label}
          </Link>
        </li>
      ))}
    </ul>
  );
}
