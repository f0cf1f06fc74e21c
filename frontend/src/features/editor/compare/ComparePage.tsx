import { Button, NativeSelect } from '@mantine/core';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useFlow, useVersions } from '~/api/flows';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { FlowCanvas } from '~/features/canvas/FlowCanvas';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { useComparison } from './api';
import { Changes, Risks } from './Changes';
import classes from './Compare.module.css';
import { Marks } from './Marks';
import { unionOf } from './picture';

/** Two states of a flow beside each other: on the canvas and in words. */
export function ComparePage() {
  const t = useT();
  const { flowId } = useParams({ from: '/flows/$flowId/compare' });
  const { from = 'active', to = 'draft' } = useSearch({ from: '/flows/$flowId/compare' });
  const flow = useFlow(flowId);
  const types = useLookup();
  const found = useComparison(flowId, from, to, flow.data?.revision ?? undefined);
  const [selected, setSelected] = useState<string>();
  const union = useMemo(() => (found.data ? unionOf(found.data.before.document, found.data.after.document) : null), [found.data]);
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data || !union || types.steps.length === 0) return <PageSkeleton />;
  const { groups, notes, same, moved } = found.data;
  return (
    <div className={classes.page}>
      <div className={classes.bar}>
        <Choice label={t('versions.before')} flowId={flowId} value={from} name="from" />
        <Choice label={t('versions.after')} flowId={flowId} value={to} name="to" />
        <Button component={Link} to={`/flows/${flowId}/`}>{t('editor.version.back')}</Button>
      </div>
      <div className={classes.work}>
        <div className={classes.stage}>
          <FlowCanvas document={union} types={types} selected={selected} onSelect={setSelected}>
            <Marks document={union} comparison={found.data} />
          </FlowCanvas>
        </div>
        <section className={classes.words} aria-label={t('versions.in_words')}>
          {notes.length > 0 ? <h2>{t('versions.risks')}</h2> : null}
          <Risks notes={notes} />
          <h2>{t('versions.changes')}</h2>
          {same ? <p className={classes.none}>{t('versions.same')}</p> : <Changes groups={groups} onShow={setSelected} />}
          {moved.length > 0 ? <p className={classes.by}>{t('versions.moved_count', { count: moved.length })}</p> : null}
        </section>
      </div>
    </div>
  );
}

/** Any version, the draft, or what is in the address: a revision. */
function Choice({ label, flowId, value, name }: { label: string; flowId: string; value: string; name: 'from' | 'to' }) {
  const t = useT();
  const navigate = useNavigate({ from: '/flows/$flowId/compare' });
  const search = useSearch({ from: '/flows/$flowId/compare' });
  const versions = useVersions(flowId);
  const options = [
    { value: 'draft', label: t('versions.draft') },
    { value: 'active', label: t('versions.active') },
    ...(versions.items ?? []).map(({ number }) => ({ value: String(number), label: t('editor.versions.number', { number }) })),
  ];
  if (!options.some((one) => one.value === value)) {
    const number = Number(value.replace(/^r/, ''));
    const named = value === 'empty' ? t('versions.empty') : value.startsWith('r') ? t('versions.revision', { number }) : t('editor.versions.number', { number });
    options.push({ value, label: named });
  }
  return <NativeSelect label={label} size="xs" data={options} value={value} onChange={(event) => void navigate({ search: { ...search, [name]: event.currentTarget.value }, replace: true })} />;
}
