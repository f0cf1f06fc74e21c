import { Badge, Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useVersions } from '~/api/flows';
import { nameOf } from '~/api/types';
import type { Flow, FlowVersion } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { useActivate } from '../api';
import classes from './Drawer.module.css';

/** Published versions: look at one, or let an older one run again. */
export function Versions({ flow }: { flow: Flow }) {
  const t = useT();
  const versions = useVersions(flow.id);
  const activate = useActivate(flow.id);
  const [asking, setAsking] = useState<FlowVersion>();
  const may = flow.rights.includes('publish') && flow.state !== 'archived';
  const rows = versions.items ?? [];
  if (versions.error && rows.length === 0) return <ErrorState bare error={versions.error} retry={() => void versions.refetch()} />;
  if (versions.isPending) return <ListSkeleton rows={3} />;
  if (rows.length === 0) return <p className={classes.none}>{t('editor.versions.none')}</p>;
  return (
    <>
      <ul className={classes.list}>
        {rows.map((version) => (
          <li key={version.number} className={classes.version}>
            <strong>{t('editor.versions.number', { number: version.number })}</strong>
            {version.is_active ? <Badge>{t('editor.versions.active')}</Badge> : <span />}
            <span className={classes.what}>{version.note || t('editor.versions.no_note')}</span>
            <span className={classes.fix}>{nameOf(version.author)} <RelativeTime at={version.created_at} /></span>
            <Button size="xs" component={Link} to={`/flows/${flow.id}/?version=${version.number}`}>{t('editor.versions.view')}</Button>
            {may && !version.is_active ? <Button size="xs" onClick={() => setAsking(version)}>{t('editor.versions.activate')}</Button> : <span />}
          </li>
        ))}
      </ul>
      {asking ? (
        <ConfirmDialog
          opened
          title={t('editor.versions.activate_title', { number: asking.number })}
          confirm={t('editor.versions.activate')}
          busy={activate.isPending}
          error={activate.error}
          onConfirm={() => activate.mutate(asking.number, { onSuccess: () => { notifyDone(t('editor.versions.activated', { number: asking.number })); setAsking(undefined); } })}
          onClose={() => { activate.reset(); setAsking(undefined); }}
        >
          {t('editor.versions.activate_text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
