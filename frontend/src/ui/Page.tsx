import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { useT } from '~/app/messages';
import classes from './Page.module.css';

interface HeaderProps {
  title: string;
  /** Beside the title: a status, a count. */
  aside?: ReactNode;
  /** Above the title: the way back. */
  back?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

/** Title of the page and of the browser's tab, with what can be done at the right. */
export function PageHeader({ title, aside, back, actions, children }: HeaderProps) {
  useTitle(title);
  return (
    <header className={classes.header}>
      <div className={classes.heading}>
        {back}
        <h1 className={classes.title}>{title}</h1>
        {aside}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
      {children}
    </header>
  );
}

export function useTitle(title: string) {
  const t = useT();
  const full = title ? t('app.tab_title', { title }) : t('app.name');
  useEffect(() => {
    document.title = full;
  }, [full]);
}

/** A page of ordinary width with the product's margins. */
export function Page({ children, narrow }: { children: ReactNode; narrow?: boolean }) {
  return (
    <div className={classes.page} data-narrow={narrow || undefined}>
      {children}
    </div>
  );
}

/** Filters above a list. */
export function Toolbar({ children }: { children: ReactNode }) {
  return <div className={classes.toolbar}>{children}</div>;
}

interface PanelProps {
  title?: string;
  description?: string;
  actions?: ReactNode;
  children: ReactNode;
  /** Content reaches the frame (tables). */
  flush?: boolean;
}

export function Panel({ title, description, actions, children, flush }: PanelProps) {
  return (
    <section className={classes.panel} aria-label={title}>
      {title ? (
        <div className={classes.panelHead}>
          <div>
            <h2 className={classes.panelTitle}>{title}</h2>
            {description ? <p className={classes.panelText}>{description}</p> : null}
          </div>
          {actions ? <div className={classes.actions}>{actions}</div> : null}
        </div>
      ) : null}
      <div className={flush ? undefined : classes.panelBody}>{children}</div>
    </section>
  );
}
