import type { Point } from '~/features/canvas/graph';
import { sizes } from '~/ui/tokens';

let toFlow: ((at: { x: number; y: number }) => { x: number; y: number }) | null = null;

/** The canvas says how a point on the screen is one in the flow. */
export const setDropTarget = (convert: typeof toFlow): void => {
  toFlow = convert;
};

/** Where something let go at a point of the screen lands, and the link that lies there. */
export function dropPlace(x: number, y: number): { place: Point | null; link: string | null } {
  const under = document.elementsFromPoint(x, y);
  if (!toFlow || !under.some((element) => element.closest('[data-canvas]'))) return { place: null, link: null };
  const edge = under.map((element) => element.closest<HTMLElement>('.react-flow__edge')).find(Boolean);
  const button = under.map((element) => element.closest<HTMLElement>('[data-focus^="link:"]')).find(Boolean);
  const at = toFlow({ x, y });
  return {
    place: [at.x - sizes.card.width / 2, at.y - sizes.card.height / 2],
    link: edge?.dataset['id'] ?? button?.dataset['focus']?.slice(5) ?? null,
  };
}
