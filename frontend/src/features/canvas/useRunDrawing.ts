import { useMemo, useState } from 'react';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import type { Lookup } from './catalogue';
import { drawLinks, drawNodes, drawUndos, linkId } from './graph';
import type { LinkEdgeType, StepNodeType } from './graph';
import type { CardRunState } from './StepCard';

interface Seen {
  document: FlowDocument;
  types: Lookup;
  selected: string | undefined;
  runs: Record<string, CardRunState> | undefined;
  taken: Record<string, number> | undefined;
}

interface Kept<T, K> {
  plain: T;
  key: K;
  drawn: T;
}

const FIELDS = ['status', 'statusLabel', 'duration', 'attempts', 'items'] as const;
const sameState = (one: CardRunState | undefined, other: CardRunState | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && FIELDS.every((field) => one[field] === other[field]));

/** What was drawn stays the same object while it says the same. */
function keptOr<T, K>(kept: Map<string, Kept<T, K>>, next: Map<string, Kept<T, K>>, id: string, plain: T, key: K, same: (a: K, b: K) => boolean, draw: () => T): T {
  const last = kept.get(id);
  const one = last && last.plain === plain && same(last.key, key) ? last : { plain, key, drawn: draw() };
  next.set(id, one);
  return one.drawn;
}

/**
 * A flow to look at as React Flow draws it. Of a run that goes on, only the cards and links that say
 * something else are drawn again, however large the flow is and however often it is read.
 */
export function useRunDrawing({ document, types, selected, runs, taken }: Seen): { nodes: StepNodeType[]; edges: LinkEdgeType[] } {
  const t = useT();
  const [keptNodes] = useState(() => ({ current: new Map<string, Kept<StepNodeType, { run: CardRunState | undefined; isSelected: boolean }>>() }));
  const [keptLinks] = useState(() => ({ current: new Map<string, Kept<LinkEdgeType, number | undefined>>() }));
  const cards = useMemo(() => drawNodes(document, types, t), [document, types, t]);
  const links = useMemo(() => drawLinks(document, types, t), [document, types, t]);
  const undos = useMemo(() => drawUndos(document), [document]);
  const nodes = useMemo(() => {
    const next: typeof keptNodes.current = new Map();
    const drawn = cards.map((card) => {
      const run = runs?.[card.id];
      const isSelected = card.id === selected;
      return keptOr(keptNodes.current, next, card.id, card, { run, isSelected }, (a, b) => a.isSelected === b.isSelected && sameState(a.run, b.run), () => {
        const ariaLabel = run ? t('canvas.step_state', { title: card.data.title, kind: card.data.name, state: run.statusLabel }) : card.ariaLabel;
        return { ...card, selected: isSelected, ...(ariaLabel === undefined ? {} : { ariaLabel }), data: { ...card.data, ...(run ? { run } : {}) } };
      });
    });
    // eslint-disable-next-line react-hooks/immutability -- a cache: the same input gives equal cards with or without it
    keptNodes.current = next;
    return drawn;
  }, [cards, runs, selected, t, keptNodes]);
  const edges = useMemo(() => {
    const next: typeof keptLinks.current = new Map();
    const drawn = links.map((link) => {
      const times = taken ? (taken[linkId(link.source, link.data?.port ?? '', link.target)] ?? 0) : undefined;
      return keptOr(keptLinks.current, next, link.id, link, times, (a, b) => a === b, () => ({ ...link, data: { ...link.data!, ...(times === undefined ? {} : { taken: times }) } }));
    });
    // eslint-disable-next-line react-hooks/immutability -- the same
    keptLinks.current = next;
    return [...drawn, ...undos];
  }, [links, undos, taken, keptLinks]);
  return { nodes, edges };
}
