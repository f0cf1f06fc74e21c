import type { TaskAnswer } from '~/api/types';
import type { Translate } from '~/app/messages';

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll('_', ' ');

/** How a button looks: the one that lets things go on, the one that stops them, any other. */
export function toneOf(answer: TaskAnswer): { variant: 'filled' | 'outline' | 'default'; color: 'accent' | 'danger' } {
  if (answer.side === 'for') return { variant: 'filled', color: 'accent' };
  if (answer.side === 'against') return { variant: 'outline', color: 'danger' };
  return { variant: 'default', color: 'accent' };
}

/** "Approved": an outcome after the fact; `label` is what an answer of its own is called. */
export function outcomeDone(outcome: string, t: Translate, label = capital(outcome)): string {
  if (outcome === 'approved') return t('inbox.decided.approved');
  if (outcome === 'rejected') return t('inbox.decided.rejected');
  if (outcome === 'submitted') return t('inbox.decided.submitted');
  if (outcome === 'retry') return t('inbox.decided.retry');
  if (outcome === 'skip') return t('inbox.decided.skip');
  if (outcome === 'fail') return t('inbox.decided.fail');
  return label;
}
