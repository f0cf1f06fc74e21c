import { Tooltip } from '@mantine/core';
import { useContext } from 'react';
import { useIntl } from 'react-intl';
import { useT } from '~/app/messages';
import { duration, exactHereAndThere, FlowZone, relativeTime, useNow } from './time';

/** "3 minutes ago", with the exact time on hover and for a screen reader, here and where the flows stand. */
export function RelativeTime({ at }: { at: string | null | undefined }) {
  const intl = useIntl();
  const t = useT();
  const now = useNow();
  const zone = useContext(FlowZone);
  if (!at) return <>{t('app.none')}</>;
  return (
    <Tooltip label={exactHereAndThere(intl, at, zone)}>
      <time dateTime={at}>{relativeTime(intl, at, now, t('app.just_now'))}</time>
    </Tooltip>
  );
}

/** How long something took, or has been taking while it has no end. */
export function Duration({ from, to, ms }: { from?: string | null; to?: string | null; ms?: number | null }) {
  const intl = useIntl();
  const t = useT();
  const now = useNow(from && !to && typeof ms !== 'number' ? 1000 : 60_000);
  if (typeof ms === 'number') return <>{duration(intl, ms)}</>;
  if (!from) return <>{t('app.none')}</>;
  return <>{duration(intl, Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from)))}</>;
}
