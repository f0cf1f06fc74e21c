import { Tooltip, UnstyledButton } from '@mantine/core';
import type { AuditEvent } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconCircleDashed, IconLock } from '~/ui/icons';
import { More } from '~/ui/More';
import type { MoreOf } from '~/ui/More';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './Audit.module.css';
import { outcomeDone } from '~/features/inbox/words';
import { verbWords } from './verbs';

export const whoOf = (entry: AuditEvent, t: Translate): string =>
  entry.actor.kind === 'system' ? t('audit.system') : entry.actor.label || entry.actor.id;

/** A person by name, with the address that the trail holds on hover. */
function Who({ entry, names }: { entry: AuditEvent; names: ReadonlyMap<string, string> }) {
  const t = useT();
  const said = whoOf(entry, t);
  const name = entry.actor.kind === 'person' ? names.get(entry.actor.id) : undefined;
  return name && name !== said ? <Tooltip label={said}><span>{name}</span></Tooltip> : <>{said}</>;
}

/** What was done and, of a decision, which: an approval and a rejection never read alike. */
export const whatOf = (entry: AuditEvent, t: Translate): string => {
  const words = verbWords(entry.verb, t);
  const { outcome } = entry.details;
  return entry.verb === 'task.decide' && typeof outcome === 'string' ? t('audit.what', { words, outcome: outcomeDone(outcome, t) }) : words;
};

/** What it was done to; of an address that was refused, the parts that stand for any id are left out. */
export const targetOf = ({ target }: AuditEvent): string => {
  const label = target.label || target.id;
  return target.type === 'route' ? `/${label.replaceAll(/<[^>]*>/g, '…')}` : label;
};

export function Seal({ entry }: { entry: AuditEvent }) {
  const t = useT();
  const sealed = entry.seal !== null;
  return (
    <span className={classes.seal} data-sealed={sealed || undefined}>
      {sealed ? <IconLock size={14} aria-hidden /> : <IconCircleDashed size={14} aria-hidden />}
      {sealed ? t('audit.sealed_in', { number: entry.seal }) : t('audit.unsealed')}
    </span>
  );
}

export function AuditTable({ rows, names, more, onOpen }: { rows: AuditEvent[]; names: ReadonlyMap<string, string>; more: MoreOf; onOpen: (id: string) => void }) {
  const t = useT();
  const columns: Column<AuditEvent>[] = [
    {
      key: 'what', header: t('audit.column.what'), width: 180,
      cell: (row) => <UnstyledButton className={classes.open} onClick={() => onOpen(row.id)}>{whatOf(row, t)}</UnstyledButton>,
    },
    {
      key: 'target', header: t('audit.column.target'), min: 200,
      cell: (row) => <span className={classes.target}>{targetOf(row)}</span>,
    },
    {
      key: 'who', header: t('audit.column.who'), width: 200, min: 120,
      cell: (row) => (
        <span>
          <Who entry={row} names={names} /> {row.actor.kind === 'token' ? t('audit.token') : null}{' '}
          {row.on_behalf_of ? t('audit.on_behalf', { name: names.get(row.on_behalf_of) ?? row.on_behalf_of }) : null}
        </span>
      ),
    },
    { key: 'reason', header: t('audit.column.reason'), show: 'wide', min: 160, cell: (row) => <span className={classes.target}>{row.reason}</span> },
    { key: 'seal', header: t('audit.column.seal'), width: 120, show: 'medium', cell: (row) => <Seal entry={row} /> },
    { key: 'when', header: t('audit.column.when'), width: 140, cell: (row) => <RelativeTime at={row.at} /> },
  ];
  return <DataTable label={t('audit.list')} columns={columns} rows={rows} rowKey={(row) => row.id} footer={<More of={more} />} />;
}
