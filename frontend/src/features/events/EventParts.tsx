import { Link } from '@tanstack/react-router';
import type { EventItem, EventState, Taker } from '~/api/events';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { StatusBadge } from '~/ui/StatusBadge';
import classes from './Events.module.css';

/** Each state wears the look of a run's that means the same to people. */
export const STATES: Record<EventState, { look: string; label: MessageId }> = {
  taken: { look: 'completed', label: 'runs.events.state.taken' },
  refused: { look: 'failed', label: 'runs.events.state.refused' },
  waiting: { look: 'waiting', label: 'runs.events.state.waiting' },
  expired: { look: 'skipped', label: 'runs.events.state.expired' },
};

export function StateBadge({ state }: { state: EventState }) {
  const t = useT();
  return <StatusBadge status={STATES[state].look} label={t(STATES[state].label)} />;
}

const DID: Record<Taker['what'], MessageId> = {
  accepted: 'runs.events.did.accepted',
  held: 'runs.events.did.held',
  duplicate: 'runs.events.did.duplicate',
  refused: 'runs.events.did.refused',
  too_deep: 'runs.events.did.too_deep',
  woke: 'runs.events.did.woke',
  changed: 'runs.events.did.changed',
  unread: 'runs.events.did.unread',
};

/** What it did, with the way to the run. */
export function TakerLine({ taker, short }: { taker: Taker; short?: boolean }) {
  const t = useT();
  const said = t(DID[taker.what], { flow: taker.flow_name || t('runs.events.a_flow') });
  return (
    <span className={classes.taker} data-refused={taker.run === null || undefined}>
      {taker.run ? <Link to="/runs/$runId/" params={{ runId: taker.run }}>{said}</Link> : said}
      {taker.reason && !short ? <span className={classes.reason}>{taker.reason}</span> : null}
    </span>
  );
}

/** A flow, by its name, or the source that an outsider gave. */
export function From({ event }: { event: EventItem }) {
  return event.run ? (
    <Link to="/runs/$runId/" params={{ runId: event.run }} className={classes.from}>{event.flow_name || event.source}</Link>
  ) : (
    <span className={classes.from}>{event.flow_name || event.source}</span>
  );
}
