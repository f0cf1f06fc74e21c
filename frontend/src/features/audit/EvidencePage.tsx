import { Button, Checkbox, Modal, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useIntl } from 'react-intl';
import { newKey } from '~/api/client';
import { useEvidence, useMakeEvidence } from '~/api/audit';
import { useFlows } from '~/api/flows';
import { useRight } from '~/api/me';
import { EVIDENCE_LISTS } from '~/api/types';
import type { EvidenceList, EvidencePack } from '~/api/types';
import { useT } from '~/app/messages';
import form from '~/features/settings/Settings.module.css';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconAlertTriangle, IconDownload, IconFileZip, IconLoader2, IconPlus } from '~/ui/icons';
import { Page, PageHeader } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import classes from './Audit.module.css';
import { AuditParts } from './AuditParts';

const DAY = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Evidence of a period as one signed archive: those that were made, and another one. */
export function EvidencePage() {
  const t = useT();
  const packs = useEvidence();
  const [making, setMaking] = useState(false);
  const action = <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>{t('audit.evidence.new')}</Button>;
  const rows = packs.data?.results;
  return (
    <Page>
      <PageHeader title={t('audit.title')} aside={<AuditParts />} actions={rows?.length ? action : null} />
      <div>
        <h2 className={classes.question}>{t('audit.evidence.title')}</h2>
        <p className={classes.lead}>{t('audit.evidence.text')}</p>
      </div>
      {rows ? (
        rows.length > 0 ? <Packs rows={rows} /> : <EmptyState icon={IconFileZip} title={t('audit.evidence.first')} action={action}>{t('audit.evidence.first_text')}</EmptyState>
      ) : packs.error ? (
        <ErrorState error={packs.error} retry={() => void packs.refetch()} />
      ) : (
        <ListSkeleton rows={4} />
      )}
      {making ? <NewPack onClose={() => setMaking(false)} /> : null}
    </Page>
  );
}

function Packs({ rows }: { rows: EvidencePack[] }) {
  const t = useT();
  const intl = useIntl();
  const day = (at: string, less = 0) => intl.formatDate(new Date(Date.parse(at) - less), { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  const columns: Column<EvidencePack>[] = [
    {
      key: 'period', header: t('audit.evidence.period'), min: 200,
      cell: ({ wanted }) => (
        <span className={classes.located}>
          <span>{t('audit.evidence.span', { from: day(wanted.since), to: day(wanted.until, DAY) })}</span>
          <small>{wanted.flow?.name ?? t('audit.evidence.all_flows')}</small>
        </span>
      ),
    },
    { key: 'lists', header: t('audit.evidence.lists'), min: 200, show: 'medium', cell: ({ wanted, result }) => <Held wanted={wanted.lists} counts={result?.lists} /> },
    { key: 'state', header: t('audit.evidence.state'), min: 160, cell: (row) => <State pack={row} /> },
    { key: 'by', header: t('audit.evidence.by'), width: 160, show: 'wide', cell: (row) => row.asked_by },
    { key: 'made', header: t('audit.evidence.made'), width: 140, cell: (row) => <RelativeTime at={row.created_at} /> },
  ];
  return <DataTable label={t('audit.evidence.list')} columns={columns} rows={rows} rowKey={(row) => row.id} />;
}

function Held({ wanted, counts }: { wanted: EvidenceList[]; counts?: Partial<Record<EvidenceList, number>> }) {
  const t = useT();
  return (
    <span className={form.tags}>
      {wanted.map((name) => <span key={name} className={form.tag}>{t(`audit.evidence.list.${name}`)} {counts?.[name]}</span>)}
    </span>
  );
}

function State({ pack }: { pack: EvidencePack }) {
  const t = useT();
  if (pack.state === 'failed') return <span className={classes.broken}><IconAlertTriangle size={16} aria-hidden /> {pack.error}</span>;
  if (!pack.result) return <span className={classes.seal}><IconLoader2 size={16} aria-hidden /> {t(`audit.evidence.state.${pack.state}`)}</span>;
  return (
    <Button component="a" size="compact-sm" href={`/api/v1/audit/evidence/${pack.id}/file/`} download={pack.result.name} aria-label={t('audit.evidence.download', { name: pack.result.name })} leftSection={<IconDownload size={16} aria-hidden />}>
      {t('audit.evidence.state.done')}
    </Button>
  );
}

function NewPack({ onClose }: { onClose: () => void }) {
  const t = useT();
  const make = useMakeEvidence();
  const flows = useFlows({ limit: 200 }, useRight('flow.view')).items ?? [];
  const [key] = useState(newKey);
  const [from, setFrom] = useState(() => dayOf(Date.now() - 90 * DAY));
  const [to, setTo] = useState(() => dayOf(Date.now()));
  const [flow, setFlow] = useState<string | null>(null);
  const [lists, setLists] = useState<EvidenceList[]>([...EVIDENCE_LISTS]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({ from, to, flow, lists, key }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={t('audit.evidence.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={form.form}>
        <div className={form.row}>
          <TextInput data-autofocus required type="date" className={form.grow} label={t('audit.evidence.from')} value={from} max={to} onChange={(event) => setFrom(event.currentTarget.value)} />
          <TextInput required type="date" className={form.grow} label={t('audit.evidence.to')} value={to} min={from} onChange={(event) => setTo(event.currentTarget.value)} />
        </div>
        <Select searchable clearable label={t('audit.evidence.flow')} placeholder={t('audit.evidence.all_flows')} data={flows.map(({ id, name }) => ({ value: id, label: name }))} value={flow} onChange={setFlow} />
        <Checkbox.Group label={t('audit.evidence.lists')} value={lists} onChange={(chosen) => setLists(EVIDENCE_LISTS.filter((name) => chosen.includes(name)))}>
          <div className={form.roles}>
            {EVIDENCE_LISTS.map((name) => <Checkbox key={name} value={name} label={t(`audit.evidence.list.${name}`)} description={t(`audit.evidence.list.${name}_text`)} />)}
          </div>
        </Checkbox.Group>
        <ProblemText error={make.error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={make.isPending} disabled={lists.length === 0 || from === '' || to === ''}>{t('audit.evidence.make')}</Button>
        </div>
      </form>
    </Modal>
  );
}
