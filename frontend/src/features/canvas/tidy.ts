import type { ElkNode } from 'elkjs/lib/elk-api';
import type { FlowDocument } from '~/api/types';
import { sizes } from '~/ui/tokens';
import { portOfLink, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { EMPTY, FIRST, framePortPlace, HEAD, PAD } from './frames';
import { cardHeight, freePlace, portPlace, portsIn, UNDO_GAP } from './graph';
import type { Point } from './graph';
import { BODY, childrenOf, framesIn, undoers } from './nesting';

const snap = (value: number) => Math.round(value / 8) * 8;

interface Size {
  width: number;
  height: number;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '96',
  'elk.spacing.nodeNode': '48',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.considerModelOrder.components': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.padding': '[top=0,left=0,bottom=0,right=0]',
};

/**
 * A tidy layout, left to right, ports in their order so that links cross as little as they can;
 * what is inside a step first, so that its frame is known around it. The layouter is large and is
 * loaded only here.
 */
export async function tidy(document: FlowDocument, types: Lookup): Promise<Record<string, Point>> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  const elk = new Elk();
  const children = childrenOf(document);
  const frames = framesIn(document, types);
  const undoing = undoers(document);
  const ports = (id: string) => portsIn(document, id, types);

  /** Places of all that is in a scope, seen from its corner, with what they take. */
  const lay = async (scope: string | null): Promise<{ at: Record<string, Point>; size: Size }> => {
    const peers = [...(scope === null ? [TRIGGER] : []), ...(children.get(scope) ?? [])];
    const inner = new Map<string, { at: Record<string, Point>; size: Size }>();
    for (const id of peers) if (frames.has(id)) inner.set(id, await lay(id));
    const sizeOf = (id: string): Size => {
      const inside = inner.get(id)?.size;
      if (!inside) return { width: sizes.card.width, height: cardHeight(ports(id)) };
      return { width: Math.max(EMPTY.width, PAD.left + inside.width + PAD.right), height: Math.max(EMPTY.height, HEAD + PAD.top + inside.height + PAD.bottom) };
    };
    // What only undoes others has no links; it stands below the first step that it takes back.
    const drawn = peers.filter((id) => !undoing.has(id));
    const below = new Map(peers.flatMap((id) => (drawn.includes(undoing.get(id)?.[0] ?? '') ? [[undoing.get(id)?.[0] ?? '', id]] : [])));
    const nodes = drawn.map((id) => nodeOf({ id, size: sizeOf(id), ports: ports(id), isFrame: frames.has(id), below: below.has(id) ? UNDO_GAP + sizes.card.height : 0 }));
    const answer = await elk.layout({ id: 'scope', layoutOptions: OPTIONS, children: nodes, edges: edgesAmong(document, drawn, ports) });
    const own: Record<string, Point> = Object.fromEntries((answer.children ?? []).map((child): [string, Point] => [child.id, [snap(child.x ?? 0), snap(child.y ?? 0)]]));
    for (const id of peers.filter((one) => undoing.has(one))) {
      const [done] = undoing.get(id) ?? [];
      const [x, y] = (done === undefined ? undefined : own[done]) ?? [0, 0];
      const wish: Point = [x, y + (done === undefined ? 0 : sizeOf(done).height) + UNDO_GAP];
      own[id] = done !== undefined && below.get(done) === id ? wish : freePlace(Object.values(own), wish);
    }
    const at: Record<string, Point> = {};
    for (const [id, [x, y]] of Object.entries(own)) {
      at[id] = [x, y];
      for (const [one, [left, top]] of Object.entries(inner.get(id)?.at ?? {})) at[one] = [x + FIRST[0] + left, y + FIRST[1] + top];
    }
    const extent = (from: 0 | 1, by: keyof Size) => Math.max(0, ...Object.entries(own).map(([id, place]) => place[from] + sizeOf(id)[by]));
    return { at, size: { width: extent(0, 'width'), height: extent(1, 'height') } };
  };
  return (await lay(null)).at;
}

interface Drawn {
  id: string;
  size: Size;
  ports: string[];
  isFrame: boolean;
  /** Room kept free under it. */
  below: number;
}

function nodeOf({ id, size, ports, isFrame, below }: Drawn): ElkNode {
  // Where ways are drawn, not where they would divide the side evenly.
  const spot = (port: string) => (isFrame ? framePortPlace(port, ports, size) : portPlace(port, ports));
  const outer = ports.filter((port) => !isFrame || port !== BODY);
  return {
    id,
    width: size.width,
    height: size.height + below,
    layoutOptions: { 'elk.portConstraints': 'FIXED_POS' },
    ports: [
      { id: `${id}:in`, x: 0, y: (isFrame ? HEAD : size.height) / 2, layoutOptions: { 'elk.port.side': 'WEST' } },
      ...outer.map((port) => {
        const { side, x, y } = spot(port);
        return { id: `${id}:out:${port}`, x, y: side ? y + below : y, layoutOptions: { 'elk.port.side': side ? 'SOUTH' : 'EAST' } };
      }),
    ],
  };
}

function edgesAmong(document: FlowDocument, ids: string[], ports: (id: string) => string[]) {
  const known = new Set(ids);
  return document.links
    .filter((link) => known.has(link.from) && known.has(link.to))
    .map((link, index) => ({
      id: `link-${index}`,
      sources: [ports(link.from).length > 0 ? `${link.from}:out:${portOfLink(link.port, ports(link.from))}` : link.from],
      targets: [`${link.to}:in`],
    }));
}
