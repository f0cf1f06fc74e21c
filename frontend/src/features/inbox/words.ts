import type { Task, TaskOutcome } from '~/api/types';
import type { Translate } from '~/app/messages';

export interface Answer {
  value: string;
  /** On the button: "Approve". */
  label: string;
  /** What happens then, in the flow's own words. */
  then: string;
  tone: 'accent' | 'danger' | 'plain';
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll('_', ' ');
const first = (...texts: (string | undefined)[]) => texts.find((text) => text !== undefined && text !== '') ?? '';

/** The answers a person can give. "timeout" is what happens without one, and is no button. */
export function answersOf(task: Pick<Task, 'outcomes'>, t: Translate): Answer[] {
  return task.outcomes
    .map((outcome): TaskOutcome => (typeof outcome === 'string' ? { outcome } : outcome))
    .map((outcome) => ({ ...outcome, value: first(outcome.outcome, outcome.value, outcome.port) }))
    .filter(({ value }) => value !== 'timeout')
    .map((outcome): Answer => ({
      value: outcome.value,
      label: first(outcome.label, outcome.title) || outcomeButton(outcome.value, t),
      then: first(outcome.consequence, outcome.then),
      tone: outcome.value === 'approved' ? 'accent' : outcome.value === 'rejected' ? 'danger' : 'plain',
    }));
}

export function outcomeButton(outcome: string, t: Translate): string {
  if (outcome === 'approved') return t('inbox.outcome.approved');
  if (outcome === 'rejected') return t('inbox.outcome.rejected');
  return capital(outcome);
}

export function outcomeDone(outcome: string, t: Translate): string {
  if (outcome === 'approved') return t('inbox.decided.approved');
  if (outcome === 'rejected') return t('inbox.decided.rejected');
  return capital(outcome);
}
