import { Button, Loader, Skeleton } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { useIntl } from 'react-intl';
import { Offline, Problem } from '~/api/problem';
import type { Me, Right } from '~/api/types';
import { T, useT } from '~/app/messages';
import { IconAlertTriangle, IconLock, IconRefresh, IconSearch, IconWifiOff } from './icons';
import type { Icon } from './icons';
import classes from './States.module.css';
import { motion } from './tokens';

interface EmptyProps {
  icon?: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** Inside a panel that has a frame already. */
  bare?: boolean;
}

/** One sentence on what belongs here, one action. */
export function EmptyState({ icon: Glyph, title, children, action, bare }: EmptyProps) {
  return (
    <div className={classes.state} data-bare={bare}>
      {Glyph ? <Glyph size={20} aria-hidden className={classes.icon} /> : null}
      <h2 className={classes.title}>{title}</h2>
      {children ? <p className={classes.text}>{children}</p> : null}
      {action ? <div className={classes.actions}>{action}</div> : null}
    </div>
  );
}

const ROLES = ['viewer', 'builder', 'operator', 'approver', 'auditor', 'admin'] as const;

/** What a page needs (any of `rights`), which roles have it, and whom to ask. Every refused page says it so. */
export function NoRightState({ rights, said, bare }: { rights: Right[]; said?: string; bare?: boolean }) {
  const t = useT();
  const intl = useIntl();
  const me = useQueryClient().getQueryData<Me>(['me']);
  const having = ROLES.filter((role) => rights.some((right) => me?.needs?.[right]?.includes(role)));
  const admins = me?.admins ?? [];
  const needs = having.length > 0
    ? t('app.no_right.needs', { roles: intl.formatList(having.map((role) => t(`settings.role.${role}`)), { type: 'disjunction' }) })
    : said || t('app.no_right.text');
  return (
    <EmptyState bare={bare} icon={IconLock} title={t('app.no_right.title')}>
      {needs}{' '}
      {admins.length > 0 ? t('app.no_right.ask', { names: intl.formatList(admins, { type: 'disjunction' }) }) : having.length > 0 ? t('app.no_right.ask_anyone') : null}
    </EmptyState>
  );
}

/** What went wrong and what to do; no right and not found have sentences of their own. */
export function ErrorState({ error, retry, bare }: { error: unknown; retry?: () => void; bare?: boolean }) {
  const t = useT();
  const again = retry ? (
    <Button leftSection={<IconRefresh size={16} />} onClick={retry}>
      {t('app.try_again')}
    </Button>
  ) : undefined;
  if (error instanceof Offline) {
    return <EmptyState bare={bare} icon={IconWifiOff} title={t('app.offline.title')} action={again}>{t('app.offline.text')}</EmptyState>;
  }
  if (error instanceof Problem && error.status === 404) {
    return <EmptyState bare={bare} icon={IconSearch} title={t('app.not_found.title')}>{t('app.not_found.text')}</EmptyState>;
  }
  if (error instanceof Problem && error.status === 403) {
    return <NoRightState bare={bare} rights={typeof error.fields['right'] === 'string' ? [error.fields['right'] as Right] : []} said={error.message} />;
  }
  const said = error instanceof Problem ? error.message : '';
  return (
    <div role="alert">
      <EmptyState bare={bare} icon={IconAlertTriangle} title={t('app.error.title')} action={again}>
        {said || <T id="app.error.text" />}
      </EmptyState>
    </div>
  );
}

/** Shows its children only after 300 ms, so that a quick answer makes nothing flicker. */
export function Delayed({ children }: { children: ReactNode }) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), motion.skeletonDelay);
    return () => clearTimeout(timer);
  }, []);
  return due ? children : null;
}

/** The outline of a list that is being read. */
export function ListSkeleton({ rows = 8 }: { rows?: number }) {
  const t = useT();
  return (
    <div className={classes.skeleton} role="status" aria-label={t('app.loading')}>
      <Delayed>
        {Array.from({ length: rows }, (_, row) => (
          <div key={row} className={classes.skeletonRow}>
            <Skeleton height={12} width={`${38 - ((row * 7) % 15)}%`} />
            <Skeleton height={12} width={80} />
            <Skeleton height={12} width={120} />
          </div>
        ))}
      </Delayed>
    </div>
  );
}

export function PageSkeleton() {
  const t = useT();
  return (
    <div className={classes.page} role="status" aria-label={t('app.loading')}>
      <Delayed>
        <Loader />
      </Delayed>
    </div>
  );
}
