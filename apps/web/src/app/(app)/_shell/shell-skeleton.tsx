import { Skeleton } from '@mantine/core';
import { GantryLogo } from '@/components/ui/gantry-logo';
import styles from './shell.module.css';

/** The frame while the session is looked up: the page does not jump when it comes. */
export function ShellSkeleton() {
  return (
    <div className={styles.shell} aria-busy="true">
      <header className={styles.header}>
        <span className={styles.brand}>
          <GantryLogo size={26} />
          <span className={styles.brandName}>Gantry</span>
        </span>
      </header>
      <div className={styles.body}>
        <div className={styles.side} />
        <main className={styles.main} aria-label="Loading">
          <div className={styles.content}>
            <Skeleton height={30} width={180} mb="lg" />
            <Skeleton height={92} mb="md" />
            <Skeleton height={260} />
          </div>
        </main>
      </div>
    </div>
  );
}
