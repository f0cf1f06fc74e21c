import { Button, Drawer } from '@mantine/core';
import { useEvent } from '~/api/events';
import type { EventItem } from '~/api/events';
import { useT } from '~/app/messages';
import { Short } from '~/ui/Mono';
import { useIntlTools } from '~/ui/time';
import { Values } from '~/ui/Values';
import { From, StateBadge, TakerLine } from './EventParts';
import classes from './Events.module.css';

interface Props {
  event: EventItem | undefined;
  onClose: () => void;
  onFilter: (part: { type?: string; correlation?: string }) => void;
}

/** One event in full: what it says, what it did, and what it belongs to. */
export function EventDrawer({ event, onClose, onFilter }: Props) {
  const t = useT();
  return (
    <Drawer opened={event !== undefined} onClose={onClose} position="right" size={440} title={t('runs.events.one')} closeButtonProps={{ 'aria-label': t('runs.events.close') }}>
      {event ? <Details event={event} onFilter={onFilter} /> : null}
    </Drawer>
  );
}

function Details({ event, onFilter }: { event: EventItem; onFilter: Props['onFilter'] }) {
  const t = useT();
  const { exact } = useIntlTools();
  const data = useEvent(event.id).data?.['data'];
  return (
    <div className={classes.details}>
      <div className={classes.head}>
        <h3 className={classes.title}>{event.type}</h3>
        <StateBadge state={event.state} />
      </div>
      <dl className={classes.facts}>
        <dt>{t('runs.events.from')}</dt>
        <dd><From event={event} /></dd>
        {event.subject ? <><dt>{t('runs.events.subject')}</dt><dd>{event.subject}</dd></> : null}
        <dt>{t('runs.events.when')}</dt>
        <dd>{exact(event.created_at)}</dd>
        {event.state === 'waiting' ? <><dt>{t('runs.events.until')}</dt><dd>{exact(event.expires_at)}</dd></> : null}
        {event.depth > 1 ? <><dt>{t('runs.events.depth')}</dt><dd>{t('runs.events.depth_said', { count: event.depth - 1 })}</dd></> : null}
        <dt>{t('runs.events.id')}</dt>
        <dd><Short value={event.event_id} copy={t('runs.events.id')} length={18} /></dd>
      </dl>
      <div>
        <h4 className={classes.section}>{t('runs.events.takers')}</h4>
        {event.takers.length > 0 ? (
          <ul className={classes.all}>{event.takers.map((taker, at) => <li key={at}><TakerLine taker={taker} /></li>)}</ul>
        ) : (
          <p className={classes.none}>{t(event.state === 'waiting' ? 'runs.events.waits' : 'runs.events.nobody_came')}</p>
        )}
        {event.faults.map((fault) => <p key={fault} className={classes.fault}>{t('runs.events.fault', { fault })}</p>)}
      </div>
      {data === undefined || data === null ? null : <Values label={t('runs.events.data')} value={data} />}
      <div className={classes.links}>
        <Button onClick={() => onFilter({ correlation: event.correlation, type: undefined })}>{t('runs.events.same')}</Button>
        <Button onClick={() => onFilter({ type: event.type })}>{t('runs.events.same_type')}</Button>
      </div>
    </div>
  );
}
