import { useDebouncedValue } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useIntl } from 'react-intl';
import { useT } from '~/app/messages';
import { useNextTimes } from '../api';
import type { ScheduleFire } from '../api';
import type { Config } from '../document/document';
import classes from '../SidePanel.module.css';

interface Props {
  config: Config;
  live: boolean;
  fires: ScheduleFire[];
}

/** When the schedule as it is written fires next, and what became of its last times. */
export function ScheduleTimes({ config, live, fires }: Props) {
  const t = useT();
  const intl = useIntl();
  const text = (name: string, other: string) => (typeof config[name] === 'string' ? config[name] : other);
  const zone = text('zone', 'UTC') || 'UTC';
  const [cron] = useDebouncedValue(text('cron', ''), 250);
  const { data } = useNextTimes(cron, zone);
  const time = (at: string) => intl.formatDate(at, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: zone });
  return (
    <>
      <p className={classes.note}>{live ? t('editor.schedule.live') : t('editor.schedule.after_publish')}</p>
      {data ? <h3 className={classes.section}>{t('editor.schedule.next_times')}</h3> : null}
      {data?.next_times.length === 0 ? <p className={classes.note}>{t('editor.schedule.never')}</p> : null}
      <ul className={classes.deliveries}>
        {data?.next_times.map((at) => <li key={at}><time dateTime={at}>{time(at)}</time></li>)}
      </ul>
      {fires.length > 0 ? <h3 className={classes.section}>{t('editor.schedule.fires')}</h3> : null}
      <ul className={classes.deliveries}>
        {fires.map((one) => (
          <li key={one.at}>
            <time dateTime={one.at}>{time(one.at)}</time>
            {one.status === 'refused' ? <span className={classes.reason}>{one.reason || t('editor.schedule.refused')}</span> : one.run ? <Link to="/runs/$runId/" params={{ runId: one.run }}>{t('editor.deliveries.run')}</Link> : <span>{t(one.status === 'waiting' ? 'editor.schedule.waiting' : 'editor.schedule.skipped')}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
