import type { Lookup } from '~/features/canvas/catalogue';
import { frameAt } from '~/features/canvas/frames';
import type { Point } from '~/features/canvas/graph';
import { sizes } from '~/ui/tokens';
import { framesNow } from '../document/place';
import { useEditor } from '../store';

let toFlow: ((at: { x: number; y: number }) => { x: number; y: number }) | null = null;

/** The canvas says how a point on the screen is one in the flow. */
export const setDropTarget = (convert: typeof toFlow): void => {
  toFlow = convert;
};

/** Where something let go at a point of the screen lands, the link that lies there, and the point itself. */
export function dropPlace(x: number, y: number): { place: Point | null; link: string | null; point: Point | null } {
  const under = document.elementsFromPoint(x, y);
  if (!toFlow || !under.some((element) => element.closest('[data-canvas]'))) return { place: null, link: null, point: null };
  const edge = under.map((element) => element.closest<HTMLElement>('.react-flow__edge-link')).find(Boolean);
  const button = under.map((element) => element.closest<HTMLElement>('[data-focus^="link:"]')).find(Boolean);
  const at = toFlow({ x, y });
  return {
    place: [at.x - sizes.card.width / 2, at.y - sizes.card.height / 2],
    point: [at.x, at.y],
    link: edge?.dataset['id'] ?? button?.dataset['focus']?.slice(5) ?? null,
  };
}

/** The frame at a point, as the document stands; `without`: steps that are on their way. */
export function frameUnder(point: Point | null, types: Lookup, without: readonly string[] = []): string | null {
  const { document } = useEditor.getState();
  return point === null ? null : frameAt(document, framesNow(document, types), point, without);
}
