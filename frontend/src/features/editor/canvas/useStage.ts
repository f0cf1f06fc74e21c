import { useReactFlow } from '@xyflow/react';
import { useEffect } from 'react';
import type { RefObject } from 'react';
import { TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { motion, sizes } from '~/ui/tokens';
import { findLink } from '../document/links';
import { heightOf, notesOf, placeOfNote, widthOf } from '../document/notes';
import { measured } from '../document/place';
import { useEditor } from '../store';
import { focusName, setStage } from '../view';
import type { FocusTarget } from '../view';
import { setDropTarget } from './drop';

const { width, height } = sizes.card;
const WIDEST = 520;
const MARGIN = 24;
const TRIES = 12;
const LEGIBLE = 0.3;

/** Lets the rest of the editor move the focus and the view of the canvas. */
export function useStage(frame: RefObject<HTMLDivElement | null>): void {
  const flow = useReactFlow();
  const types = useLookup();
  useEffect(() => {
    // React Flow calls itself an application, too; one inside the other has nothing to say.
    frame.current?.querySelector('.react-flow')?.setAttribute('role', 'presentation');
  }, [frame]);
  useEffect(() => {
    const find = (target: FocusTarget) => {
      const name = focusName(target);
      const selector = 'step' in target && !('port' in target) ? `.react-flow__node[data-id="${CSS.escape(target.step)}"]` : `[data-focus="${CSS.escape(name)}"]`;
      return frame.current?.querySelector<HTMLElement>(selector) ?? null;
    };
    const reveal = (id: string) => {
      const box = frame.current?.getBoundingClientRect();
      const { document } = useEditor.getState();
      const note = notesOf(document)[id];
      if (!box || (id !== TRIGGER && !document.steps[id] && !note)) return;
      const [left, above] = placeOfNote(document, id);
      const it = note ? { x: left, y: above, width: widthOf(note), height: heightOf(note) } : measured(document, types)(id);
      const [x, y] = [it.x, it.y];
      // Of a large frame its bar is enough.
      const [width, height] = [Math.min(it.width, WIDEST), Math.min(it.height, WIDEST)];
      const first = flow.flowToScreenPosition({ x, y });
      const last = flow.flowToScreenPosition({ x: x + width, y: y + height });
      const seen = first.x >= box.left + MARGIN && first.y >= box.top + MARGIN && last.x <= box.right - MARGIN && last.y <= box.bottom - MARGIN;
      // In view and too small to be read is not seen.
      if (!seen || flow.getZoom() < LEGIBLE) void flow.setCenter(x + width / 2, y + height / 2, { zoom: Math.max(flow.getZoom(), 0.6), duration: motion.in });
    };
    const stepOf = (target: FocusTarget) =>
      'step' in target ? target.step : useEditor.getState().document.links[findLink(useEditor.getState().document, target.link)]?.to;
    // What was just added or comes into view is in the page a moment later.
    const focus = (target: FocusTarget, tries = TRIES) => {
      const step = stepOf(target);
      if (tries === TRIES && step) reveal(step);
      const element = find(target);
      if (element) element.focus({ preventScroll: true });
      else if (tries > 0) requestAnimationFrame(() => focus(target, tries - 1));
    };
    setStage({
      focus,
      reveal: (id) => requestAnimationFrame(() => reveal(id)),
      fit: (ids) => {
        const known = ids?.filter((id) => flow.getNode(id));
        requestAnimationFrame(() => void flow.fitView({ padding: 0.15, maxZoom: 1.25, duration: motion.in, ...(known && known.length > 0 ? { nodes: known.map((id) => ({ id })) } : {}) }));
      },
      middle: () => {
        const box = frame.current?.getBoundingClientRect();
        const at = flow.screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 0) / 2, y: (box?.top ?? 0) + (box?.height ?? 0) / 2 });
        return [at.x - width / 2, at.y - height / 2];
      },
      screen: (target) => {
        const box = find(target)?.getBoundingClientRect() ?? frame.current?.getBoundingClientRect();
        return { x: (box?.right ?? 0) + 8, y: box?.top ?? 0 };
      },
    });
    setDropTarget(flow.screenToFlowPosition);
    return () => {
      setStage(null);
      setDropTarget(null);
    };
  }, [flow, frame, types]);
}
