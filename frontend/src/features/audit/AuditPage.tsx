import { Button, TextInput, Tooltip } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useAudit, useSeals } from '~/api/audit';
import { useFlows } from '~/api/flows';
import { useRight } from '~/api/me';
import { useMembers } from '~/api/settings';
import { useT } from '~/app/messages';
import { spanStart, SPANS } from '~/ui/spans';
import { FilterChip, SearchBox } from '~/ui/Filter';
import { IconDownload, IconSearch, IconShieldCheck } from '~/ui/icons';
import { Page, PageHeader, Toolbar } from '~/ui/Page';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import classes from './Audit.module.css';
import { AuditParts } from './AuditParts';
import { AuditTable } from './AuditTable';
import { EntryDrawer } from './EntryDrawer';
import { NOUNS } from './verbs';

function SealState() {
  const t = useT();
  const { short } = useIntlTools();
  const seals = useSeals().data?.results;
  const newest = seals?.[0];
  if (!seals) return null;
  return (
    <span className={classes.seals}>
      <IconShieldCheck size={16} aria-hidden />
      {t('audit.seals', { number: newest?.number ?? 0, time: newest ? short(newest.at) : '' })}
    </span>
  );
}

/** Who did what to what, when and why; sealed, searchable, exportable. */
export function AuditPage() {
  const t = useT();
  const search = useSearch({ from: '/audit' });
  const navigate = useNavigate({ from: '/audit' });
  const mayExport = useRight('export.read', 'audit.view');
  const { event, from, since, until, ...rest } = search;
  const span = useMemo(() => spanStart(from), [from]);
  const list = useAudit({ ...rest, from: since ?? span, to: until });
  const flows = useFlows({ limit: 200 }, useRight('flow.view')).items ?? [];
  const members = useMembers(useRight('flow.view')).data?.results ?? [];
  const change = (part: Partial<typeof search>) => void navigate({ search: { ...search, ...part }, replace: true });
  const filtered = Boolean(from ?? since ?? until ?? rest.actor ?? rest.search ?? rest.target ?? rest.verb ?? rest.flow ?? rest.correlation);
  const people = members.map((member) => ({ value: member.user_id, label: member.name || member.email }));

  const names = new Map(people.map(({ value, label }) => [value, label]));

  return (
    <Page>
      <PageHeader
        title={t('audit.title')}
        aside={<AuditParts />}
        actions={
          <>
            <SealState />
            {mayExport ? (
              <Tooltip label={t('audit.bundle_hint')}>
                <Button component="a" href="/api/v1/audit/bundle/" download leftSection={<IconDownload size={16} aria-hidden />}>{t('audit.bundle')}</Button>
              </Tooltip>
            ) : null}
          </>
        }
      />
      <Toolbar>
        <SearchBox label={t('audit.search')} value={search.search} onChange={(value) => change({ search: value })} />
        <FilterChip label={t('audit.filter.verb')} value={search.verb} choices={NOUNS.map(([value, label]) => ({ value, label: t(label) }))} onChange={(verb) => change({ verb })} />
        <FilterChip label={t('audit.filter.actor')} value={search.actor} choices={people} onChange={(actor) => change({ actor })} />
        {search.target ? <FilterChip label={t('audit.filter.target')} value={search.target} choices={[{ value: search.target, label: targetLabel(list.items, search.target) }]} onChange={(target) => change({ target })} /> : null}
        <FilterChip label={t('audit.filter.flow')} value={search.flow} choices={flows.map(({ id, name }) => ({ value: id, label: name }))} onChange={(flow) => change({ flow })} />
        {search.correlation ? <FilterChip label={t('audit.filter.correlation')} value={search.correlation} choices={[{ value: search.correlation, label: search.correlation.slice(0, 13) }]} onChange={(correlation) => change({ correlation })} /> : null}
        <FilterChip label={t('audit.filter.time')} value={from} choices={SPANS.map(({ value, label }) => ({ value, label: t(label) }))} onChange={(chosen) => change({ from: chosen, since: undefined, until: undefined })} />
        <Day label={t('audit.filter.since')} short={t('audit.filter.since_short')} value={since} onChange={(day) => change({ since: day, from: undefined })} />
        <Day label={t('audit.filter.until')} short={t('audit.filter.until_short')} value={until} onChange={(day) => change({ until: day, from: undefined })} />
      </Toolbar>
      {list.items ? (
        list.items.length > 0 ? (
          <AuditTable rows={list.items} names={names} more={list} onOpen={(id) => change({ event: id })} />
        ) : filtered ? (
          <EmptyState icon={IconSearch} title={t('audit.none.title')} action={<Button onClick={() => void navigate({ search: {} })}>{t('app.filter_clear_all')}</Button>}>{t('audit.none.text')}</EmptyState>
        ) : (
          <EmptyState icon={IconShieldCheck} title={t('audit.first.title')}>{t('audit.first.text')}</EmptyState>
        )
      ) : list.error ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ListSkeleton />
      )}
      <EntryDrawer names={names} id={event} entry={list.items?.find((one) => one.id === event)} onClose={() => change({ event: undefined })} onFilter={(part) => change({ event: undefined, ...part })} />
    </Page>
  );
}

/** A day of a period; the first or the last of it. */
function Day({ label, short, value, onChange }: { label: string; short: string; value: string | undefined; onChange: (day: string | undefined) => void }) {
  return (
    <TextInput
      type="date" className={classes.day} aria-label={label} value={value ?? ''}
      leftSection={<span className={classes.short} aria-hidden>{short}</span>} leftSectionWidth={44}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

const targetLabel = (rows: { target: { id: string; label: string | null } }[] | undefined, target: string): string =>
  rows?.find((row) => row.target.id === target)?.target.label ?? target.slice(0, 13);
