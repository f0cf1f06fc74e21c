import type { FlowDocument, Run, RunStep } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { linkId, portsIn } from '~/features/canvas/graph';
import { portOfLink } from '~/features/canvas/catalogue';
import type { CardRunState } from '~/features/canvas/StepCard';
import type { Translate } from '~/app/messages';

interface Words {
  t: Translate;
  status: (status: string) => string;
  duration: (ms: number) => string;
}

/** Milliseconds between start and end of a step; undefined while it has no end. */
export function tookMs(step: Pick<RunStep, 'started_at' | 'finished_at'>): number | undefined {
  if (!step.started_at || !step.finished_at) return undefined;
  return Math.max(0, Date.parse(step.finished_at) - Date.parse(step.started_at));
}

/** What each card says about the run: state, time, attempts. Steps that were not reached say so. */
export function cardStates(document: FlowDocument, run: Run, words: Words): Record<string, CardRunState> {
  const states: Record<string, CardRunState> = {
    [TRIGGER]: { status: 'completed', statusLabel: words.status('completed') },
  };
  for (const id of Object.keys(document.steps)) {
    const step = run.steps[id];
    if (!step) {
      states[id] = { status: 'skipped', statusLabel: words.status('skipped') };
      continue;
    }
    const ms = tookMs(step);
    const said = [
      step.attempts > 1 ? words.t('canvas.attempts', { count: step.attempts }) : '',
      step.visits > 1 ? words.t('canvas.visits', { count: step.visits }) : '',
    ].filter(Boolean);
    states[id] = {
      status: step.status,
      statusLabel: words.status(step.status),
      duration: ms === undefined ? undefined : words.duration(ms),
      attempts: said.length > 0 ? said.join(' · ') : undefined,
      items: itemsSaid(document.steps[id]?.type, step.items, words.t),
    };
  }
  return states;
}

/** "7 of 20 done, 1 failed" for a list, the rounds of a repetition; a block has nothing to count. */
export function itemsSaid(type: string | undefined, items: RunStep['items'], t: Translate): string | undefined {
  if (!items || type === 'block') return undefined;
  if (type === 'repeat') return t('canvas.rounds', { count: items.done });
  const { total, done, failed } = items;
  return failed > 0 ? t('canvas.items_failed', { total, done, failed }) : t('canvas.items', { total, done });
}

/** How often each link was taken, under the ids the canvas gives to links. */
export function takenLinks(document: FlowDocument, run: Run, types: Lookup): Record<string, number> {
  const taken: Record<string, number> = {};
  for (const link of run.links) {
    const port = portOfLink(link.port, portsIn(document, link.from, types));
    const id = linkId(link.from, port, link.to);
    taken[id] = (taken[id] ?? 0) + link.count;
  }
  return taken;
}

/** The step a reader wants to see first: the one that failed, else the one that waits or runs. */
export function stepOfInterest(run: Run): string | undefined {
  if (run.error?.step) return run.error.step;
  const active = Object.entries(run.steps).find(([, step]) => ['waiting', 'running', 'retrying', 'ready'].includes(step.status));
  return active?.[0];
}
