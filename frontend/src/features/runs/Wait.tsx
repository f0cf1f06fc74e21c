import { Link } from '@tanstack/react-router';
import type { WaitReason } from '~/api/types';
import { useT } from '~/app/messages';
import { useIntlTools } from '~/ui/time';

const shownKey = (key: unknown) => (typeof key === 'string' ? key : JSON.stringify(key));

function Holders({ reason }: { reason: WaitReason }) {
  const t = useT();
  const runs = (reason.holders ?? []).filter((one) => one.run);
  if (runs.length === 0) return null;
  return (
    <>
      {' '}
      {t('runs.wait.holders')}{' '}
      {runs.map((one, index) => (
        <span key={one.run}>
          {index > 0 ? ', ' : null}
          <Link to="/runs/$runId/" params={{ runId: one.run! }}>{one.title}</Link>
        </span>
      ))}
      .
    </>
  );
}

/** What is waited for, in one sentence. */
function What({ reason }: { reason: WaitReason }) {
  const t = useT();
  const { short } = useIntlTools();
  const time = reason.until ? short(reason.until) : t('app.none');
  const names = [...(reason.groups ?? []), ...(reason.people ?? [])].join(', ');
  const tries = { attempt: (reason.attempt ?? 0) + 1, most: reason.max_attempts ?? 0 };
  switch (reason.kind) {
    case 'person':
      if (reason.error) return <>{t('runs.wait.failed', { message: reason.error.message })}</>;
      if (reason.held) return <>{t('runs.wait.held', { time })}</>;
      if (names) return <>{reason.until ? t('runs.wait.person_of_until', { names, time }) : t('runs.wait.person_of', { names })}{reason.next ? ` ${t('runs.wait.next', { time: short(reason.next.at), words: reason.next.words })}` : null}</>;
      return <>{reason.until ? t('runs.wait.person_until', { time }) : t('runs.wait.person')}</>;
    case 'time':
      return <>{t('runs.wait.time', { time })}</>;
    case 'event':
      return (
        <>
          {reason.key === null || reason.key === undefined
            ? t('runs.wait.event', { type: reason.type ?? '' })
            : t('runs.wait.event_of', { type: reason.type ?? '', key: shownKey(reason.key) })}
          {reason.until ? ` ${t('runs.wait.event_until', { time })}` : null}
          {reason.detail ? ` ${reason.detail}` : null}
        </>
      );
    case 'retry':
      return <>{reason.error ? t('runs.wait.retry_after', { time, ...tries, message: reason.error.message }) : t('runs.wait.retry', { time })}</>;
    case 'effect':
      if (!reason.lease_until) return <>{t('runs.wait.effect_queued')}</>;
      return <>{t('runs.wait.effect_lease', { attempt: reason.attempt ?? 1, most: reason.max_attempts ?? 1, time: short(reason.lease_until) })}</>;
    case 'limit':
      return (
        <>
          {reason.detail || t('runs.wait.limit')}
          <Holders reason={reason} />
        </>
      );
    case 'lock':
      return <>{t('runs.wait.lock', { step: reason.holders?.[0]?.title ?? '', lock: reason.lock ?? '' })}</>;
    case 'join':
      return <>{reason.detail || t('runs.wait.join', { names: (reason.missing ?? []).map((one) => one.title || one.from).join(', ') })}</>;
    case 'items':
      return <>{t('runs.wait.items', { done: reason.counts?.done ?? 0, failed: reason.counts?.failed ?? 0, of: reason.counts?.of ?? 0 })}</>;
    case 'run':
      return <>{reason.run ? <Link to="/runs/$runId/" params={{ runId: reason.run }}>{reason.detail}</Link> : reason.detail}</>;
    case 'stopped':
      return <>{reason.detail}</>;
    case 'paused':
      return <>{reason.detail || t('runs.wait.paused')}</>;
    case 'fault':
      return <>{t('runs.wait.fault', { detail: reason.detail })}</>;
    default:
      return <>{t('runs.wait.worker')}</>;
  }
}

/** Why a run does not go on by itself, and since when. */
export function Wait({ reason }: { reason: WaitReason }) {
  const t = useT();
  const { short } = useIntlTools();
  return (
    <>
      <What reason={reason} />
      {reason.since ? ` ${t('runs.wait.since', { time: short(reason.since) })}` : null}
    </>
  );
}
