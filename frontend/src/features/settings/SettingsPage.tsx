import { Link, Navigate, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useT } from '~/app/messages';
import { useTitle } from '~/ui/Page';
import { NoRightState } from '~/ui/States';
import { useClosedSection, useSections } from './sections';
import classes from './Settings.module.css';

/** The parts at the left (a row on a phone), the open one beside them. */
export function SettingsPage() {
  const t = useT();
  const sections = useSections();
  const closed = useClosedSection();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const links = useRef<HTMLDivElement>(null);
  useTitle(t('settings.title'));
  // On a phone the parts are a row that scrolls; the open one must be in it.
  useEffect(() => {
    links.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [path]);
  return (
    <div className={classes.page}>
      <nav className={classes.nav} aria-label={t('settings.nav')}>
        <h1 className={classes.title}>{t('settings.title')}</h1>
        <div ref={links} className={classes.links}>
          {sections.map(({ to, label, icon: Glyph }) => (
            <Link key={to} to={to} className={classes.link} activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
              <Glyph size={16} aria-hidden />
              {t(label)}
            </Link>
          ))}
        </div>
      </nav>
      <div className={classes.body}>
        {closed ? <NoRightState rights={closed.rights} /> : <Outlet />}
      </div>
    </div>
  );
}

/** `/settings/` leads to the first part that is open to the person. */
export function FirstSection() {
  const first = useSections()[0];
  return first ? <Navigate to={first.to} replace /> : null;
}
