import { useQueryClient } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { liveUrl, startLive } from '~/api/live';
import { useMe } from '~/api/me';
import { useTour } from '~/features/tour/store';
import { AppBar } from './AppBar';
import { Banners } from './Banners';
import { useT } from './messages';
import { Rail, useLacking } from './Rail';
import { NoRight } from './RouteStates';
import classes from './Shell.module.css';

const TourBar = lazy(() => import('~/features/tour/TourBar').then((module) => ({ default: module.TourBar })));

/** The frame of every page: bar, rail, and the page itself. */
export function Shell() {
  const t = useT();
  const client = useQueryClient();
  const { id } = useMe();
  const { stage, meet } = useTour();
  useEffect(() => meet(id), [id, meet]);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const lacking = useLacking(path);
  useEffect(() => startLive({ client, url: liveUrl() }), [client]);
  // A new page begins at its top, for the eye and for a screen reader.
  useEffect(() => {
    void document.getElementById('main')?.scrollTo(0, 0);
  }, [path]);
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">{t('app.skip')}</a>
      <AppBar />
      <Rail />
      <div className={classes.content}>
        <Banners />
        {stage === 'on' ? <Suspense fallback={null}><TourBar /></Suspense> : null}
        <main id="main" className={classes.main} tabIndex={-1}>
          {lacking.length > 0 ? <NoRight rights={lacking} /> : <Outlet />}
        </main>
      </div>
    </div>
  );
}
