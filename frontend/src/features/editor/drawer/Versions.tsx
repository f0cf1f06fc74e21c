import { Badge, Button } from '@mantine/core';
import { useState } from 'react';
import { useVersions } from '~/api/flows';
import { nameOf } from '~/api/types';
import type { Flow, FlowVersion } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { LinkButton } from '~/ui/LinkButton';
import { More } from '~/ui/More';
import { notifyDone } from '~/ui/notify';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { useActivate } from '../api';
import type { Autosave } from '../autosave';
import { useRevisions } from '../compare/api';
import type { Revision } from '../compare/api';
import { RestoreButton } from '../compare/RestoreButton';
import classes from './Drawer.module.css';

/** Published versions, and every save of the draft: look at one, compare it, or go back to it. */
export function Versions({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  return (
    <>
      <h3 className={classes.heading}>{t('versions.published')}</h3>
      <Published flow={flow} autosave={autosave} />
      <h3 className={classes.heading}>{t('versions.saves')}</h3>
      <Saves flow={flow} autosave={autosave} />
    </>
  );
}

function Published({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
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
            <span className={classes.actions}>
              <LinkButton size="xs" to="/flows/$flowId/" params={{ flowId: flow.id }} search={{ version: String(version.number) }}>{t('editor.versions.view')}</LinkButton>
              <LinkButton size="xs" to="/flows/$flowId/compare/" params={{ flowId: flow.id }} search={{ from: String(version.number) }}>{t('versions.compare')}</LinkButton>
              <RestoreButton flow={flow} autosave={autosave} what={{ version: version.number }} />
              {may && !version.is_active ? <Button size="xs" onClick={() => setAsking(version)}>{t('editor.versions.activate')}</Button> : null}
            </span>
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

/** What the draft was after each save, the newest first. */
function Saves({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  const revisions = useRevisions(flow.id);
  const rows = revisions.items ?? [];
  if (revisions.error && rows.length === 0) return <ErrorState bare error={revisions.error} retry={() => void revisions.refetch()} />;
  if (revisions.isPending) return <ListSkeleton rows={3} />;
  if (rows.length === 0) return <p className={classes.none}>{t('versions.saves.none')}</p>;
  return (
    <>
      <ul className={classes.list}>
        {rows.map((revision, at) => (
          <li key={revision.number} className={classes.version}>
            <strong>{t('versions.revision', { number: revision.number })}</strong>
            {revision.is_current ? <Badge>{t('versions.now')}</Badge> : <span />}
            <span className={classes.what}><What revision={revision} /></span>
            <span className={classes.fix}>{nameOf(revision.author)} <RelativeTime at={revision.created_at} /></span>
            <span className={classes.actions}>
              <LinkButton size="xs" to="/flows/$flowId/" params={{ flowId: flow.id }} search={{ revision: String(revision.number) }}>{t('editor.versions.view')}</LinkButton>
              {rows[at + 1] ? <LinkButton size="xs" to="/flows/$flowId/compare/" params={{ flowId: flow.id }} search={{ from: `r${rows[at + 1]?.number}`, to: `r${revision.number}` }}>{t('versions.what_changed')}</LinkButton> : null}
              {revision.is_current ? null : <RestoreButton flow={flow} autosave={autosave} what={{ revision: revision.number }} />}
            </span>
          </li>
        ))}
      </ul>
      <More of={revisions} />
    </>
  );
}

function What({ revision: { how, restored_from: from, changed, about } }: { revision: Revision }) {
  const t = useT();
  const [kind, number] = from.split(' ');
  if (how === 'restored') return t(kind === 'version' ? 'versions.restored_version' : 'versions.restored_revision', { number: Number(number) });
  if (about.length > 0) return t('versions.about', { steps: about.join(', '), count: changed });
  return changed > 0 ? t('versions.count', { count: changed }) : t('versions.first_save');
}
