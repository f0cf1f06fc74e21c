import { Button } from '@mantine/core';
import { useNetwork } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { onSignedOut } from '~/api/client';
import { useLive } from '~/api/live';
import { useRight } from '~/api/me';
import { useLiftStop, useStop } from '~/api/stop';
import { IconAlertTriangle, IconWifiOff } from '~/ui/icons';
import { useIntlTools } from '~/ui/time';
import classes from './Banners.module.css';
import { useT } from './messages';

/** Live updates fail for a moment at every restart; only a lasting loss is worth a sentence. */
const PATIENCE_MS = 4000;

function useLasting(value: boolean): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLasting(value), value ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [value]);
  return lasting && value;
}

/** Everything is stopped: by whom, why, since when; who may lets it go on. */
function StopBanner() {
  const t = useT();
  const { short } = useIntlTools();
  const stop = useStop().data;
  const may = useRight('flow.pause');
  const lift = useLiftStop();
  if (!stop?.stopped) return null;
  return (
    <div className={classes.banner} role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <span>{t('app.banner.stopped', { by: stop.by ?? '', reason: stop.reason ?? '', time: stop.stopped_at ? short(stop.stopped_at) : '' })}</span>
      {may ? <Button size="xs" loading={lift.isPending} onClick={() => lift.mutate('')}>{t('app.banner.stopped.lift')}</Button> : null}
    </div>
  );
}

/** What the person has to know whatever the page: offline, signed out. What is being edited stays. */
export function Banners() {
  const t = useT();
  const { online } = useNetwork();
  const down = useLasting(useLive((live) => live.status === 'down'));
  const [signedOut, setSignedOut] = useState(false);
  useEffect(() => onSignedOut(() => setSignedOut(true)), []);
  if (signedOut) {
    const here = encodeURIComponent(window.location.pathname + window.location.search);
    return (
      <div className={classes.banner} role="alert">
        <IconAlertTriangle size={16} aria-hidden />
        <span>{t('app.signed_out.text')}</span>
        <Button size="xs" component="a" href={`/sign-in/?next=${here}`} target="_blank" onClick={() => setSignedOut(false)}>
          {t('app.signed_out.action')}
        </Button>
      </div>
    );
  }
  return (
    <>
      <StopBanner />
      {online && !down ? null : (
        <div className={classes.banner} role="status">
          <IconWifiOff size={16} aria-hidden />
          <span>{online ? t('app.banner.live_down') : t('app.banner.offline')}</span>
        </div>
      )}
    </>
  );
}
