import { Button, Drawer } from '@mantine/core';
import { useAuditEntry } from '~/api/audit';
import type { AuditEvent } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { Short } from '~/ui/Mono';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import { Values } from '~/ui/Values';
import classes from './Audit.module.css';
import { targetOf, whatOf, whoOf } from './AuditTable';
import { EntryProof } from './EntryProof';

interface Props {
  /** From the list, or read by its id. */
  entry: AuditEvent | undefined;
  /** Which one is open. */
  id: string | undefined;
  /** People's names by id. */
  names: ReadonlyMap<string, string>;
  onClose: () => void;
  onFilter: (part: { actor?: string; target?: string; flow?: string; correlation?: string }) => void;
}

const isFilled = (value: unknown) => value !== null && value !== undefined && !(typeof value === 'object' && Object.keys(value).length === 0);

/** One entry in full, beside the list. */
export function EntryDrawer({ entry: listed, id, names, onClose, onFilter }: Props) {
  const t = useT();
  const read = useAuditEntry(listed ? undefined : id);
  const entry = listed ?? read.data;
  return (
    <Drawer opened={id !== undefined} onClose={onClose} position="right" size={440} title={t('audit.entry')} closeButtonProps={{ 'aria-label': t('audit.entry.close') }}>
      {entry ? <Entry entry={entry} names={names} onFilter={onFilter} /> : read.error ? <ErrorState bare error={read.error} /> : <ListSkeleton rows={3} />}
    </Drawer>
  );
}

/** Name and address: the entry in full holds back neither. */
function fullWho(entry: AuditEvent, names: Props['names'], t: Translate): string {
  const said = whoOf(entry, t);
  const name = entry.actor.kind === 'person' ? names.get(entry.actor.id) : undefined;
  return name && !said.includes(name) ? t('audit.who_full', { name, address: said }) : said;
}

function Entry({ entry, names, onFilter }: { entry: AuditEvent; names: Props['names']; onFilter: Props['onFilter'] }) {
  const t = useT();
  const { exact } = useIntlTools();
  return (
    <div className={classes.entry}>
      <h3 className={classes.verb}>{whatOf(entry, t)}</h3>
      <dl className={classes.facts}>
        <dt>{t('audit.column.target')}</dt>
        <dd>{targetOf(entry)}</dd>
        <dt>{t('audit.column.who')}</dt>
        <dd>{fullWho(entry, names, t)} {entry.on_behalf_of ? t('audit.on_behalf', { name: names.get(entry.on_behalf_of) ?? entry.on_behalf_of }) : null}</dd>
        <dt>{t('audit.column.when')}</dt>
        <dd>{exact(entry.at)}</dd>
        {entry.reason ? <><dt>{t('audit.column.reason')}</dt><dd>{entry.reason}</dd></> : null}
        <dt>{t('audit.entry.id')}</dt>
        <dd><Short value={entry.id} copy={t('audit.entry.id')} length={18} /></dd>
        {entry.correlation_id ? <><dt>{t('audit.entry.correlation')}</dt><dd><Short value={entry.correlation_id} copy={t('audit.entry.correlation_id')} length={18} /></dd></> : null}
        {entry.withheld?.length ? <><dt>{t('audit.entry.withheld')}</dt><dd>{entry.withheld.join(', ')}</dd></> : null}
      </dl>
      <EntryProof id={entry.id} />
      {isFilled(entry.before) ? <Values label={t('audit.entry.before')} value={entry.before} /> : null}
      {isFilled(entry.after) ? <Values label={t('audit.entry.after')} value={entry.after} /> : null}
      {isFilled(entry.details) ? <Values label={t('audit.entry.details')} value={entry.details} /> : null}
      <div className={classes.links}>
        <Button onClick={() => onFilter({ target: entry.target.id })}>{t('audit.entry.same')}</Button>
        {entry.actor.kind === 'person' ? <Button onClick={() => onFilter({ actor: entry.actor.id })}>{t('audit.entry.by')}</Button> : null}
        {entry.flow ? <Button onClick={() => onFilter({ flow: entry.flow ?? undefined })}>{t('audit.entry.flow')}</Button> : null}
        {entry.correlation_id ? <Button onClick={() => onFilter({ correlation: entry.correlation_id })}>{t('audit.entry.matter')}</Button> : null}
      </div>
    </div>
  );
}
