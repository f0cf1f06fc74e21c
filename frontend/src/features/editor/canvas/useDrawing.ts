import { useMemo, useState } from 'react';
import type { Finding, FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { readingOrder, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { canBeDrawn, drawLink, drawNode, drawUndos, layerOf, outerFirst, pictureOf } from '~/features/canvas/graph';
import type { LinkEdgeType, Point, StepNodeType } from '~/features/canvas/graph';
import { containerOf, containersOf, undoOf } from '~/features/canvas/nesting';
import { linkKeys } from '../document/links';
import { heightOf, notesOf, placeOfNote, widthOf } from '../document/notes';
import type { Note } from '../document/notes';
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

/** Who comes before and after each step, sorted out once for each state of the links. */
function neighbours(doc: FlowDocument) {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  const put = (map: Map<string, string[]>, key: string, value: string) => {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else if (!known.includes(value)) known.push(value);
  };
  for (const link of doc.links) {
    put(before, link.to, link.from);
    put(after, link.from, link.to);
  }
  return { before, after };
}

interface Around {
  order: number;
  count: number;
  before: string;
  after: string;
}

/** "Approve order, Approval, 2 findings, step 3 of 7. After: Amount. Then: Notify." */
function spoken(doc: FlowDocument, node: StepNodeType, { order, count, before, after }: Around, titles: (id: string) => string, t: Translate): string {
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
    before === '' ? '' : t('editor.after', { steps: before }),
    after === '' ? '' : t('editor.then', { steps: after }),
  ];
  return parts.filter(Boolean).join('. ');
}

/** A note as React Flow draws it: behind everything else, tied to nothing. */
function drawNote(id: string, note: Note, [x, y]: Point, isSelected: boolean, t: Translate): StepNodeType {
  const [width, height] = [widthOf(note), heightOf(note)];
  return {
    id,
    type: 'note',
    position: { x, y },
    width,
    height,
    measured: { width, height },
    handles: [],
    zIndex: 0,
    selected: isSelected,
    connectable: false,
    ariaLabel: t('editor.note.spoken', { text: note.text }),
    ariaRole: 'group',
    domAttributes: { tabIndex: -1, 'aria-roledescription': t('editor.note') },
    data: { title: note.text, name: note.text, summary: '', icon: undefined, tint: 'other', ports: [], entry: true },
  };
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
  const { steps, links } = document;
  // Places in reading order change with links and steps, not with what a card says or where it stands.
  const shape = useShape(document);
  const places = useMemo(() => new Map([TRIGGER, ...readingOrder(shape)].map((id, at) => [id, at + 1])), [shape]);
  const near = useMemo(() => neighbours({ links } as FlowDocument), [links]);
  return useMemo(() => {
    const ids = [TRIGGER, ...Object.keys(steps)];
    const titles = (id: string) => (id === TRIGGER ? t('canvas.trigger') : document.steps[id]?.title || id);
    const chosen = new Set(selected);
    // The ports of a type that is unknown here are those its links use.
    const isKnown = (id: string) => id === TRIGGER || types.step(steps[id]?.type ?? '', steps[id]?.version) !== undefined;
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
      const [before, after] = [near.before, near.after].map((map) => (map.get(id) ?? []).map(titles).join(', ')) as [string, string];
      const key = [part, x, y, isSelected, badge?.count, badge?.severity, isKnown(id) ? null : links, types, t, ids.length, mark, dropInto === id, order, before, after];
      const last = kept.current.get(id);
      if (last && same(last.key, key)) {
        next.set(id, last);
        return last.node;
      }
      const plain = drawNode(document, id, types, t, picture);
      // Where only links or the place changed, the card itself need not be drawn again.
      const ofCard = (of: unknown[]) => [of[0], of[4], of[5], of[6], of[7], of[10], of[11]];
      const sameCard = last && same(ofCard(last.key), ofCard(key));
      const data = sameCard ? last.node.data : { ...plain.data, findings: badge, target: dropInto === id };
      const layer = frame ? plain.zIndex : layerOf(containersOf(document, id).length, isSelected ? 'chosen' : 'card');
      const node: StepNodeType = { ...plain, position: { x, y }, zIndex: layer, data, selected: isSelected };
      node.ariaLabel = spoken(document, node, { order, count: ids.length, before, after }, titles, t);
      next.set(id, { key, node });
      return node;
    });
    const notes = Object.entries(notesOf(document)).map(([id, note]) => {
      const place = dragged?.[id] ?? placeOfNote(document, id);
      const key = [note, ...place, chosen.has(id), t];
      const last = kept.current.get(id);
      const drawn = last && same(last.key, key) ? last : { key, node: drawNote(id, note, place, chosen.has(id), t) };
      next.set(id, drawn);
      return drawn.node;
    });
    // eslint-disable-next-line react-hooks/immutability -- a cache: the same input gives equal cards with or without it
    kept.current = next;
    return notes.length > 0 ? [...notes, ...nodes] : nodes;
  }, [document, steps, links, types, picture, places, near, findings, selected, dragged, dropInto, t, kept]);
}

/** The same document as long as its links, its steps' names and what contains what are the same. */
function useShape(document: FlowDocument): FlowDocument {
  const [kept] = useState(() => ({ current: document }));
  const is = kept.current;
  const ids = Object.keys(document.steps);
  const isSame = is.links === document.links && ids.length === Object.keys(is.steps).length && ids.every((id) => is.steps[id] !== undefined && is.steps[id]['in'] === document.steps[id]?.['in']);
  // eslint-disable-next-line react-hooks/immutability -- a cache, as below
  if (!isSame) kept.current = document;
  return kept.current;
}

interface DrawnLink {
  key: unknown[];
  edge: LinkEdgeType;
}

const SILENT = { ariaRole: 'presentation' as const, ariaLabel: undefined, domAttributes: { 'aria-hidden': true } };

/** The links, named by their place in the document; the selected one is marked. One that did not change keeps its object. */
export function useDrawnLinks(document: FlowDocument, types: Lookup, selected: string | null): LinkEdgeType[] {
  const t = useT();
  const { links, steps } = document;
  const [kept] = useState(() => ({ current: new Map<string, DrawnLink>(), all: [] as LinkEdgeType[] }));
  const names = useMemo(() => linkKeys(links), [links]);
  const drawn = useMemo(() => {
    const next = new Map<string, DrawnLink>();
    const ways = links.flatMap((link, index) => {
      if (!canBeDrawn({ links, steps }, link)) return [];
      const id = names[index] ?? String(index);
      // What a step is called or does moves none of its links: only what its ways out come of.
      const from = steps[link.from];
      const known = from !== undefined && types.step(from.type, from.version) === undefined ? links : null;
      const key = [link, from?.type, from?.version, from?.config, from?.['on_error'], from?.['time_limit'], known, containersOf({ steps }, link.to).length, types, t];
      const last = kept.current.get(id);
      const now = last && same(last.key, key) ? last : { key, edge: { ...drawLink({ links, steps }, link, index, types, t), id, ...SILENT } };
      next.set(id, now);
      return [now.edge];
    });
    // eslint-disable-next-line react-hooks/immutability -- a cache, as above
    kept.current = next;
    const all = [...ways, ...drawUndos({ steps }).map((edge) => ({ ...edge, ...SILENT }))];
    // The same list where nothing changed: React Flow compares lists, and sorts every link of a new one.
    if (same(kept.all, all)) return kept.all;
    // eslint-disable-next-line react-hooks/immutability -- a cache, as above
    kept.all = all;
    return all;
  }, [links, names, steps, types, t, kept]);
  return useMemo(() => (selected === null ? drawn : drawn.map((edge) => (edge.id === selected ? { ...edge, selected: true } : edge))), [drawn, selected]);
}
