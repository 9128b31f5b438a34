import type { ReactNode } from 'react';
import { GantryLogo } from '@/components/ui/gantry-logo';
import styles from './auth-card.module.css';

export function AuthCard({ title, children, footer }: { title: string; children: ReactNode; footer?: ReactNode }) {
  return (
    <main className={styles.page}>
      <div className={styles.brand}>
        <GantryLogo size={40} />
        <div>
          <div className={styles.name}>Gantry</div>
          <div className={styles.claim}>Runs containers. Remembers everything.</div>
        </div>
      </div>
      <section className={styles.card} aria-labelledby="auth-title">
        <h1 id="auth-title" className={styles.title}>
          {title}
        </h1>
        {children}
      </section>
      {footer ? <div className={styles.footer}>{footer}</div> : null}
    </main>
  );
}
