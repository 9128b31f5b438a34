import { useId, type ReactNode } from 'react';
import styles from './panel.module.css';

/** A titled section of a page. `flush`: the content brings its own padding (tables, logs). */
export function Panel({
  title,
  aside,
  flush = false,
  children,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={styles.panel} {...(title ? { 'aria-labelledby': id } : {})}>
      {title ? (
        <div className={styles.head}>
          <h2 id={id} className={styles.title}>
            {title}
          </h2>
          {aside}
        </div>
      ) : null}
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  );
}
