import type { FlowDocument } from '~/api/types';
import { TRIGGER } from './links';
import { positions } from './place';

/** Steps in the order in which a reader meets them: along the links, upper ways first. */
export function readingOrder(doc: FlowDocument): string[] {
  const found: string[] = [];
  const visit = (id: string) => {
    if (found.includes(id)) return;
    found.push(id);
    nextOf(doc, id).forEach(visit);
  };
  visit(TRIGGER);
  const places = positions(doc);
  const place = (id: string) => places[id] ?? [0, 0];
  const rest = Object.keys(doc.steps)
    .filter((id) => !found.includes(id))
    .sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1]);
  rest.forEach(visit);
  return found.filter((id) => id === TRIGGER || doc.steps[id]);
}

const unique = (ids: string[]) => [...new Set(ids)];

export const nextOf = (doc: FlowDocument, id: string): string[] =>
  unique(doc.links.filter((link) => link.from === id && doc.steps[link.to]).map((link) => link.to));

export const previousOf = (doc: FlowDocument, id: string): string[] =>
  unique(doc.links.filter((link) => link.to === id && (link.from === TRIGGER || doc.steps[link.from])).map((link) => link.from));

/** Steps that stand beside `id`: they follow the same step, or begin a path like it. Top to bottom. */
export function siblingsOf(doc: FlowDocument, id: string): string[] {
  if (id === TRIGGER) return [TRIGGER, ...Object.keys(doc.steps).filter((one) => previousOf(doc, one).length === 0)];
  const parent = previousOf(doc, id)[0];
  const all = parent === undefined ? siblingsOf(doc, TRIGGER) : nextOf(doc, parent);
  const places = positions(doc);
  return all.includes(id)
    ? [...all].sort((a, b) => (places[a]?.[1] ?? 0) - (places[b]?.[1] ?? 0))
    : [id];
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Where an arrow leads from a step: along the links, or up and down among its siblings. */
export function neighbour(doc: FlowDocument, id: string, direction: Direction): string | undefined {
  if (direction === 'right') return nextOf(doc, id)[0];
  if (direction === 'left') return previousOf(doc, id)[0];
  const all = siblingsOf(doc, id);
  const step = direction === 'up' ? -1 : 1;
  return all[all.indexOf(id) + step] ?? nearestAbove(doc, id, step);
}

/** Where a step has no sibling in a direction: the nearest card there, so that everything can be reached. */
function nearestAbove(doc: FlowDocument, id: string, step: 1 | -1): string | undefined {
  const places = positions(doc);
  const [x, y] = places[id] ?? [0, 0];
  const far = (one: string) => {
    const [otherX, otherY] = places[one] ?? [0, 0];
    return Math.abs(otherX - x) + Math.abs(otherY - y);
  };
  return [TRIGGER, ...Object.keys(doc.steps)]
    .filter((one) => one !== id && Math.sign((places[one]?.[1] ?? 0) - y) === step)
    .sort((a, b) => far(a) - far(b))[0];
}
