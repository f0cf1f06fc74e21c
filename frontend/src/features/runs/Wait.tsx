import type { WaitReason } from '~/api/types';
import { useT } from '~/app/messages';
import { useIntlTools } from '~/ui/time';

const shownKey = (key: unknown) => (typeof key === 'string' ? key : JSON.stringify(key));

/** Why a run does not go on by itself, in one sentence. */
export function Wait({ reason }: { reason: WaitReason }) {
  const t = useT();
  const { short } = useIntlTools();
  const time = reason.until ? short(reason.until) : t('app.none');
  switch (reason.kind) {
    case 'person':
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
      return <>{t('runs.wait.retry', { time })}</>;
    case 'effect':
      return <>{t('runs.wait.effect')}</>;
    case 'limit':
      return <>{t('runs.wait.limit')}</>;
    case 'paused':
      return <>{t('runs.wait.paused')}</>;
    case 'fault':
      return <>{t('runs.wait.fault', { detail: reason.detail })}</>;
    default:
      return <>{t('runs.wait.worker')}</>;
  }
}
