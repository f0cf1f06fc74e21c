import { ActionIcon, Button, Popover, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useAlerts, useReadAlerts } from '~/api/audit';
import type { Alert } from '~/api/types';
import { IconBell } from '~/ui/icons';
import { PathLink } from '~/ui/PathLink';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, PageSkeleton } from '~/ui/States';
import classes from './Alerts.module.css';
import { Count } from './Count';
import { useT } from './messages';

function linkOf(alert: Alert): string {
  if (alert.path) return alert.path;
  if (alert.run) return `/runs/${alert.run}/`;
  const flow = typeof alert.flow === 'string' ? alert.flow : alert.flow?.id;
  return flow ? `/flows/${flow}/` : '/';
}

function AlertRow({ alert, onOpen }: { alert: Alert; onOpen: () => void }) {
  const t = useT();
  return (
    <li>
      <PathLink path={linkOf(alert)} className={classes.alert} data-unread={!alert.read_at || undefined} onClick={onOpen}>
        <span className={classes.title}>
          {alert.read_at ? null : <span className="sr-only">{t('app.alerts.new')}</span>}
          {alert.title}
        </span>
        {alert.body ? <span className={classes.text}>{alert.body}</span> : null}
        <span className={classes.meta}>
          <RelativeTime at={alert.created_at} />
          {alert.count > 1 ? <span>{t('app.alerts.times', { count: alert.count })}</span> : null}
        </span>
      </PathLink>
    </li>
  );
}

/** The bell: what waits for the person and what went wrong in their flows, newest first. */
export function Alerts() {
  const t = useT();
  const [opened, setOpened] = useState(false);
  const { data, error, refetch } = useAlerts();
  const read = useReadAlerts();
  const unread = data?.unread ?? 0;
  const label = t('app.alerts.open', { count: unread });
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={380} trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label={label} disabled={opened}>
          <ActionIcon className={classes.bell} aria-label={label} onClick={() => setOpened(!opened)}>
            <span className={classes.glyph}>
              <IconBell size={20} aria-hidden />
              <Count value={unread} label="" />
            </span>
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown className={classes.panel} aria-label={t('app.alerts.title')}>
        <div className={classes.head}>
          <h2>{t('app.alerts.title')}</h2>
          {unread > 0 ? (
            <Button size="xs" variant="subtle" loading={read.isPending} onClick={() => read.mutate({ all: true })}>
              {t('app.alerts.read_all')}
            </Button>
          ) : null}
        </div>
        {data && data.results.length > 0 ? (
          <ul className={classes.list}>
            {data.results.map((alert) => (
              <AlertRow
                key={alert.id}
                alert={alert}
                onOpen={() => {
                  setOpened(false);
                  if (!alert.read_at) read.mutate({ ids: [alert.id] });
                }}
              />
            ))}
          </ul>
        ) : data ? (
          <EmptyState bare icon={IconBell} title={t('app.alerts.empty')}>{t('app.alerts.empty_text')}</EmptyState>
        ) : error ? (
          <ErrorState bare error={error} retry={() => void refetch()} />
        ) : (
          <PageSkeleton />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
