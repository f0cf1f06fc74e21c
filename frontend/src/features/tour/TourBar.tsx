import { Button, CloseButton } from '@mantine/core';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { useFlowWatched, useLatestRuns } from '~/api/flows';
import { isProblem } from '~/api/problem';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { TOUR_EXAMPLE, useTour } from './store';
import classes from './Tour.module.css';

const STEPS = ['choose', 'change', 'publish', 'run'] as const;
type Step = (typeof STEPS)[number] | 'done';

/** Title and text of a step; listed, so that the catalogues' check finds them. */
const WORDS: Record<Step, { title: MessageId; text: MessageId }> = {
  choose: { title: 'tour.choose', text: 'tour.choose.text' },
  change: { title: 'tour.change', text: 'tour.change.text' },
  publish: { title: 'tour.publish', text: 'tour.publish.text' },
  run: { title: 'tour.run', text: 'tour.run.text' },
  done: { title: 'tour.done', text: 'tour.done.text' },
};

/**
 * Four steps from an example to a live run, told above the page: nothing is covered, nothing is
 * only shown, and each step is done when the flow itself says so.
 */
export function TourBar() {
  const t = useT();
  const go = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { flow: begun, end } = useTour();
  const flow = useFlowWatched(begun?.id);
  const runs = useLatestRuns(begun ? [begun.id] : []);
  const run = begun ? runs.data?.[begun.id] : undefined;
  const lost = isProblem(flow.error, 404);

  let step: Step = 'choose';
  if (begun && !lost) {
    if (run) step = 'done';
    else if (flow.data?.active_version) step = 'run';
    else if (flow.data && flow.data.updated_at > begun.since) step = 'publish';
    else step = 'change';
  }
  const here = begun && path.startsWith(`/flows/${begun.id}/`);
  const at = step === 'done' ? STEPS.length : STEPS.indexOf(step) + 1;

  return (
    <section className={classes.bar} aria-label={t('tour.label')}>
      <ol className={classes.dots} aria-hidden>
        {STEPS.map((name, index) => <li key={name} data-done={index + 1 < at || step === 'done' || undefined} data-here={name === step || undefined} />)}
      </ol>
      <p className={classes.words} role="status">
        <span className={classes.place}>{step === 'done' ? t('tour.through') : t('tour.place', { at, of: STEPS.length })}</span>
        <strong>{t(WORDS[step].title)}</strong> <span>{t(WORDS[step].text)}</span>
      </p>
      <div className={classes.actions}>
        {step === 'choose' ? (
          <Button size="xs" variant="filled" onClick={() => void go({ to: '/flows/', search: { new: TOUR_EXAMPLE } })}>{t('tour.choose.action')}</Button>
        ) : step === 'done' && run ? (
          <>
            {path.startsWith(`/runs/${run.id}/`) ? null : <Button size="xs" component={Link} to={`/runs/${run.id}/`}>{t('tour.done.action')}</Button>}
            <Button size="xs" variant="filled" onClick={end}>{t('tour.finish')}</Button>
          </>
        ) : here || !begun ? null : (
          <Button size="xs" component={Link} to={`/flows/${begun.id}/`}>{t('tour.back')}</Button>
        )}
        {step === 'done' ? null : <CloseButton size="sm" aria-label={t('tour.end')} onClick={end} />}
      </div>
    </section>
  );
}
