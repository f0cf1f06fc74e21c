import { useMemo, useState } from 'react';
import type { Finding, FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { readingOrder, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { drawLinks, drawNode, drawUndos, layerOf, outerFirst, pictureOf } from '~/features/canvas/graph';
import type { LinkEdgeType, StepNodeType } from '~/features/canvas/graph';
import { containerOf, containersOf, undoOf } from '~/features/canvas/nesting';
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
  const around = containerOf(doc, node.id);
  const undo = undoOf(doc, node.id);
  const parts = [
    node.ariaLabel ?? '',
    node.data.summary,
    node.data.findings ? t('canvas.findings', { count: node.data.findings.count }) : '',
    around === null ? '' : t('canvas.in_frame', { title: titles(around) }),
    node.data.frame ? t('canvas.inside', { count: node.data.frame.count }) : '',
    undo === null ? '' : t('editor.undone_by', { title: titles(undo) }),
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
  dropInto: ViewState['dropInto'];
}

/**
 * The document as React Flow draws it. A card that did not change keeps its object, so that typing
 * in a form or dragging one card draws one card, however large the flow is.
 */
export function useDrawnNodes({ document, types, findings, selected, dragged, dropInto }: Seen): StepNodeType[] {
  const t = useT();
  const [kept] = useState(() => ({ current: new Map<string, Drawn>() }));
  const picture = useMemo(() => pictureOf(document, types), [document, types]);
  const places = useMemo(() => new Map([TRIGGER, ...readingOrder(document)].map((id, at) => [id, at + 1])), [document]);
  return useMemo(() => {
    const ids = [TRIGGER, ...Object.keys(document.steps)];
    const titles = (id: string) => (id === TRIGGER ? t('canvas.trigger') : document.steps[id]?.title || id);
    const chosen = new Set(selected);
    const badges = new Map<string, ReturnType<typeof badgeOf>>();
    for (const finding of findings) if (finding.step && !badges.has(finding.step)) badges.set(finding.step, badgeOf(findings, finding.step));
    if (!badges.has(TRIGGER)) badges.set(TRIGGER, badgeOf(findings, TRIGGER));
    const next = new Map<string, Drawn>();
    const nodes = outerFirst(document, ids).map((id) => {
      // What is dragged moves away from its frame, which stays as it was until it is let go.
      const moved = dragged?.[id];
      const [around] = containersOf(document, id);
      const frame = picture.frames.get(id);
      const parent = around === undefined ? undefined : picture.frames.get(around);
      const [left, top] = (around === undefined ? undefined : dragged?.[around]) ?? (parent ? [parent.x, parent.y] : [0, 0]);
      const place = moved ?? (frame ? [frame.x, frame.y] : (picture.at[id] ?? [0, 0]));
      const [x, y] = moved ? [moved[0] - left, moved[1] - top] : [place[0] - (parent?.x ?? 0), place[1] - (parent?.y ?? 0)];
      const badge = badges.get(id);
      const part = id === TRIGGER ? document.trigger : document.steps[id];
      const isSelected = chosen.has(id);
      const order = places.get(id) ?? ids.length;
      const mark = [picture.undoers.has(id), frame?.width, frame?.height, picture.children.get(id)?.length].join();
      const key = [part, x, y, isSelected, badge?.count, badge?.severity, document.links, types, t, ids.length, mark, dropInto === id, order];
      const before = kept.current.get(id);
      if (before && same(before.key, key)) {
        next.set(id, before);
        return before.node;
      }
      const plain = drawNode(document, id, types, t, picture);
      // Where only links or the place changed, the card itself need not be drawn again.
      const ofCard = (of: unknown[]) => [of[0], of[4], of[5], of[7], of[10], of[11]];
      const sameCard = before && same(ofCard(before.key), ofCard(key));
      const data = sameCard ? before.node.data : { ...plain.data, findings: badge, target: dropInto === id };
      const layer = frame ? plain.zIndex : layerOf(containersOf(document, id).length, isSelected ? 'chosen' : 'card');
      const node: StepNodeType = { ...plain, position: { x, y }, zIndex: layer, data, selected: isSelected };
      node.ariaLabel = spoken(document, node, order, ids.length, titles, t);
      next.set(id, { key, node });
      return node;
    });
    // eslint-disable-next-line react-hooks/immutability -- a cache: the same input gives equal cards with or without it
    kept.current = next;
    return nodes;
  }, [document, types, picture, places, findings, selected, dragged, dropInto, t, kept]);
}

/** The links, named by their place in the document; the selected one is marked. */
export function useDrawnLinks(document: FlowDocument, types: Lookup, selected: string | null): LinkEdgeType[] {
  const t = useT();
  const { links, steps } = document;
  const drawn = useMemo(() => {
    const keys = linkKeys(links);
    const silent = { ariaRole: 'presentation' as const, ariaLabel: undefined, domAttributes: { 'aria-hidden': true } };
    const ways = drawLinks({ links, steps }, types, t).map((edge) => ({ ...edge, id: keys[edge.data?.index ?? 0] ?? edge.id, ...silent }));
    return [...ways, ...drawUndos({ steps }).map((edge) => ({ ...edge, ...silent }))];
  }, [links, steps, types, t]);
  return useMemo(() => (selected === null ? drawn : drawn.map((edge) => (edge.id === selected ? { ...edge, selected: true } : edge))), [drawn, selected]);
}
