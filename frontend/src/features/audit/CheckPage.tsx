import { Button, Loader } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useChecks, useStartCheck } from '~/api/audit';
import type { Alteration, TrailCheck } from '~/api/types';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconAlertTriangle, IconShieldCheck, IconShieldX } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { Page, PageHeader, Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import classes from './Audit.module.css';
import { AuditParts } from './AuditParts';
import { verbWords } from './verbs';

/** Has anything been altered since? The answer, and where if so. */
export function CheckPage() {
  const t = useT();
  const checks = useChecks();
  const start = useStartCheck();
  const [key, setKey] = useState(newKey);
  const [newest, ...earlier] = checks.data?.results ?? [];
  const busy = newest?.state === 'waiting' || newest?.state === 'running';
  const action = (
    <Button variant="filled" leftSection={<IconShieldCheck size={16} aria-hidden />} loading={start.isPending} disabled={busy} onClick={() => start.mutate(key, { onSettled: () => setKey(newKey()) })}>
      {t('audit.check.start')}
    </Button>
  );
  return (
    <Page>
      <PageHeader title={t('audit.title')} aside={<AuditParts />} actions={newest ? action : null} />
      <div>
        <h2 className={classes.question}>{t('audit.check.title')}</h2>
        <p className={classes.lead}>{t('audit.check.text')}</p>
      </div>
      <ProblemText error={start.error} />
      {checks.data ? (
        newest ? (
          <>
            <Answer check={newest} />
            {earlier.length > 0 ? <Earlier checks={earlier} /> : null}
          </>
        ) : (
          <EmptyState icon={IconShieldCheck} title={t('audit.check.first')} action={action}>{t('audit.check.first_text')}</EmptyState>
        )
      ) : checks.error ? (
        <ErrorState error={checks.error} retry={() => void checks.refetch()} />
      ) : (
        <ListSkeleton rows={3} />
      )}
    </Page>
  );
}

function Answer({ check }: { check: TrailCheck }) {
  const t = useT();
  const { short, words } = useIntlTools();
  const { result } = check;
  if (check.state === 'failed') {
    return <Verdict tone="altered" icon={<IconAlertTriangle size={20} aria-hidden />} title={t('audit.check.failed')}>{check.error}</Verdict>;
  }
  if (!result) {
    return <Verdict tone="unsealed" icon={<Loader size={18} />} title={t('audit.check.running')}>{t('audit.check.running_text', { time: short(check.created_at) })}</Verdict>;
  }
  const said = t('audit.check.answer', { rows: result.rows, seals: result.seals, time: short(result.checked_at), person: check.asked_by, duration: words(result.seconds * 1000) });
  return (
    <>
      <Verdict
        tone={result.intact ? 'verified' : 'altered'}
        icon={result.intact ? <IconShieldCheck size={20} aria-hidden /> : <IconShieldX size={20} aria-hidden />}
        title={result.intact ? t('audit.check.intact') : t('audit.check.altered', { count: result.count })}
      >
        {said} {result.unsealed > 0 ? t('audit.check.unsealed', { count: result.unsealed }) : null}
      </Verdict>
      {result.problems.length > 0 ? <Found problems={result.problems} count={result.count} /> : null}
      <Panel title={t('audit.check.key')} description={t('audit.check.key_hint')}>
        <Mono copy={t('audit.check.key')} value={result.fingerprint}>{result.fingerprint}</Mono>
      </Panel>
      {result.notes.length > 0 ? (
        <Panel title={t('audit.check.notes')}>
          <ul className={classes.problems}>{result.notes.map((note) => <li key={note}>{note}</li>)}</ul>
        </Panel>
      ) : null}
    </>
  );
}

function Verdict({ tone, icon, title, children }: { tone: string; icon: React.ReactNode; title: string; children: React.ReactNode }) {
  return (
    <section className={classes.answer} data-state={tone} aria-live="polite">
      <h3 className={classes.verdict}>{icon}{title}</h3>
      <p className={classes.hint}>{children}</p>
    </section>
  );
}

function Found({ problems, count }: { problems: Alteration[]; count: number }) {
  const t = useT();
  const { short } = useIntlTools();
  const columns: Column<Alteration>[] = [
    {
      key: 'where', header: t('audit.check.where'), min: 220,
      cell: ({ entry, seal }) =>
        entry ? (
          <span className={classes.located}>
            <Link to="/audit/" search={{ event: entry.id }} className={classes.open}>{t('audit.check.entry', { what: verbWords(entry.verb, t), target: entry.target })}</Link>
            <small>{t('audit.check.by', { person: entry.actor, time: short(entry.at) })}</small>
          </span>
        ) : (
          seal === null ? t('audit.check.whole_trail') : t('audit.check.whole_seal', { seal })
        ),
    },
    { key: 'what', header: t('audit.check.what'), min: 260, cell: ({ message }) => <span className={classes.broken}>{message}</span> },
    { key: 'seal', header: t('audit.check.seal'), width: 80, align: 'end', cell: ({ seal }) => seal },
  ];
  return (
    <>
      <DataTable label={t('audit.check.found')} columns={columns} rows={problems} rowKey={(row) => `${row.code} ${row.row} ${row.seal} ${row.message}`} />
      {count > problems.length ? <p className={classes.hint}>{t('audit.check.more', { count: problems.length })}</p> : null}
    </>
  );
}

function Earlier({ checks }: { checks: TrailCheck[] }) {
  const t = useT();
  const said = ({ state, result }: TrailCheck) => {
    if (state === 'failed') return t('audit.check.failed');
    if (!result) return t('audit.check.running');
    return result.intact ? t('audit.check.intact') : t('audit.check.altered', { count: result.count });
  };
  const columns: Column<TrailCheck>[] = [
    { key: 'result', header: t('audit.check.result'), min: 200, cell: said },
    { key: 'who', header: t('audit.check.who'), width: 200, cell: (row) => row.asked_by },
    { key: 'when', header: t('audit.check.when'), width: 160, cell: (row) => <RelativeTime at={row.created_at} /> },
  ];
  return (
    <section className={classes.earlier}>
      <h3 className={classes.question}>{t('audit.check.earlier')}</h3>
      <DataTable label={t('audit.check.earlier')} columns={columns} rows={checks} rowKey={(row) => row.id} />
    </section>
  );
}
