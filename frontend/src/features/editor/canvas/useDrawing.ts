import { useMemo, useState } from 'react';
import type { Finding, FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { drawLinks, drawNode, places } from '~/features/canvas/graph';
import type { LinkEdgeType, Point, StepNodeType } from '~/features/canvas/graph';
import { linkKeys } from '../document/links';
import { bySeverity, findingsOf } from '../findings';
import type { ViewState } from '../view';

interface Drawn {
  key: unknown[];
  node: StepNodeType;
}

const same = (a: unknown[], b: unknown[]) => a.length === b.length && a.every((part, at) => part === b[at]);

function badgeOf(findings: readonly Finding[], id: string) {
  const mine = [...findingsOf(findings, id)].sort(bySeverity);
  const first = mine[0];
  return first ? { count: mine.length, severity: first.severity } : undefined;
}

/** "Approve order, Approval, 2 findings, step 3 of 7. After: Amount. Then: Notify." */
function spoken(doc: FlowDocument, node: StepNodeType, order: number, count: number, titles: (id: string) => string, t: Translate): string {
  const names = (ids: string[]) => [...new Set(ids)].map(titles).join(', ');
  const before = doc.links.filter((link) => link.to === node.id).map((link) => link.from);
  const after = doc.links.filter((link) => link.from === node.id).map((link) => link.to);
  const parts = [
    node.ariaLabel ?? '',
    node.data.summary,
    node.data.findings ? t('canvas.findings', { count: node.data.findings.count }) : '',
    t('editor.place', { at: order, count }),
    before.length > 0 ? t('editor.after', { steps: names(before) }) : '',
    after.length > 0 ? t('editor.then', { steps: names(after) }) : '',
  ];
  return parts.filter(Boolean).join('. ');
}

interface Seen {
  document: FlowDocument;
  types: Lookup;
  findings: readonly Finding[];
  selected: ViewState['selected'];
  dragged: ViewState['dragged'];
}

/**
 * The document as React Flow draws it. A card that did not change keeps its object, so that typing
 * in a form or dragging one card draws one card, however large the flow is.
 */
export function useDrawnNodes({ document, types, findings, selected, dragged }: Seen): StepNodeType[] {
  const t = useT();
  const [kept] = useState(() => ({ current: new Map<string, Drawn>() }));
  return useMemo(() => {
    const at = places(document);
    const ids = [TRIGGER, ...Object.keys(document.steps)];
    const titles = (id: string) => (id === TRIGGER ? t('canvas.trigger') : document.steps[id]?.title || id);
    const chosen = new Set(selected);
    const badges = new Map<string, ReturnType<typeof badgeOf>>();
    for (const finding of findings) if (finding.step && !badges.has(finding.step)) badges.set(finding.step, badgeOf(findings, finding.step));
    if (!badges.has(TRIGGER)) badges.set(TRIGGER, badgeOf(findings, TRIGGER));
    const next = new Map<string, Drawn>();
    const nodes = ids.map((id, order) => {
      const place: Point = dragged?.[id] ?? at[id] ?? [0, 0];
      const badge = badges.get(id);
      const part = id === TRIGGER ? document.trigger : document.steps[id];
      const isSelected = chosen.has(id);
      const key = [part, place[0], place[1], isSelected, badge?.count, badge?.severity, document.links, types, t, ids.length];
      const before = kept.current.get(id);
      if (before && same(before.key, key)) {
        next.set(id, before);
        return before.node;
      }
      const plain = drawNode(document, id, types, t, place);
      // Where only links or the place changed, the card itself need not be drawn again.
      const sameCard = before && same(before.key.slice(0, 1), key.slice(0, 1)) && same(before.key.slice(3, 6), key.slice(3, 6)) && before.key[7] === types;
      const data = sameCard ? before.node.data : { ...plain.data, findings: badge };
      const node: StepNodeType = { ...plain, data, selected: isSelected };
      node.ariaLabel = spoken(document, node, order + 1, ids.length, titles, t);
      next.set(id, { key, node });
      return node;
    });
    // eslint-disable-next-line react-hooks/immutability -- a cache: the same input gives equal cards with or without it
    kept.current = next;
    return nodes;
  }, [document, types, findings, selected, dragged, t, kept]);
}

/** The links, named by their place in the document; the selected one is marked. */
export function useDrawnLinks(document: FlowDocument, types: Lookup, selected: string | null): LinkEdgeType[] {
  const { links, steps } = document;
  const drawn = useMemo(() => {
    const keys = linkKeys(links);
    return drawLinks({ links, steps } as FlowDocument, types).map((edge) => ({ ...edge, id: keys[edge.data?.index ?? 0] ?? edge.id, ariaRole: 'presentation' as const, ariaLabel: undefined, domAttributes: { 'aria-hidden': true } }));
  }, [links, steps, types]);
  return useMemo(() => (selected === null ? drawn : drawn.map((edge) => (edge.id === selected ? { ...edge, selected: true } : edge))), [drawn, selected]);
}
