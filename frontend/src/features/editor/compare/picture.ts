import type { FlowDocument } from '~/api/types';
import { places } from '~/features/canvas/graph';
import { linkNames } from '../merge/changes';
import type { Comparison } from './api';

export type Became = 'added' | 'removed' | 'changed' | 'moved';

const EMPTY: FlowDocument = { format: 'signalbox.flow/1', name: '', trigger: { type: 'manual', config: {} }, steps: {}, links: [] };
const whole = (document: Partial<FlowDocument>): FlowDocument => ({ ...EMPTY, ...document });

/** Both documents in one: the newer, with what is gone from it where it stood. */
export function unionOf(before: Partial<FlowDocument>, after: Partial<FlowDocument>): FlowDocument {
  const [old, now] = [whole(before), whole(after)];
  if (Object.keys(after).length === 0) return old;
  const gone = Object.fromEntries(Object.entries(old.steps).filter(([id]) => now.steps[id] === undefined));
  const names = new Set(linkNames(now.links));
  const oldNames = linkNames(old.links);
  const links = old.links.filter((_link, at) => !names.has(oldNames[at] ?? ''));
  const wasAt = Object.fromEntries(Object.entries(places(old)).filter(([id]) => id in gone));
  return { ...now, steps: { ...now.steps, ...gone }, links: [...now.links, ...links], layout: { ...places(now), ...wasAt } };
}

/** What became of each step, and of the trigger; one that only moved says so. */
export function marksOf({ before, after, groups, moved }: Comparison): Record<string, Became> {
  const marks: Record<string, Became> = {};
  for (const id of moved) if (before.document.steps?.[id] && after.document.steps?.[id]) marks[id] = 'moved';
  for (const { changes } of groups) for (const { step } of changes) if (step !== null) marks[step] = 'changed';
  for (const id of Object.keys(after.document.steps ?? {})) if (!before.document.steps?.[id]) marks[id] = 'added';
  for (const id of Object.keys(before.document.steps ?? {})) if (!after.document.steps?.[id]) marks[id] = 'removed';
  return marks;
}

/** Links that came or went, with their ends. */
export function linkMarks({ before, after }: Comparison): { from: string; to: string; became: 'added' | 'removed' }[] {
  const [old, now] = [before.document.links ?? [], after.document.links ?? []];
  const [oldNames, names] = [linkNames(old), linkNames(now)];
  return [
    ...now.filter((_link, at) => !oldNames.includes(names[at] ?? '')).map(({ from, to }) => ({ from, to, became: 'added' as const })),
    ...old.filter((_link, at) => !names.includes(oldNames[at] ?? '')).map(({ from, to }) => ({ from, to, became: 'removed' as const })),
  ];
}
