import { useRef } from 'react';
import type { PointerEvent as ReactPointerEvent } from 'react';
import type { StepType } from '~/api/types';
import { useActions } from '../actions';
import { useLookup } from '~/features/canvas/catalogue';
import { onwardPort } from '../document/ports';
import { useView } from '../view';
import { dropPlace, frameUnder } from './drop';

/** Pixels after which a press is a drag. */
const START = 4;

/**
 * Carries a step type from the palette to the canvas by pointer events: unlike the browser's own
 * drag and drop they also work with a pen and show the card that will come to be.
 */
export function useCarry(type: StepType) {
  const actions = useActions();
  const types = useLookup();
  const carried = useRef(false);

  const onPointerDown = (down: ReactPointerEvent) => {
    carried.current = false;
    if (down.button !== 0 || down.pointerType === 'touch') return;
    const move = (event: PointerEvent) => {
      if (!carried.current && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < START) return;
      carried.current = true;
      const { link, point } = dropPlace(event.clientX, event.clientY);
      const dropLink = onwardPort(type) === undefined ? null : link;
      useView.setState({
        carried: { kind: type.kind, version: type.version, x: event.clientX, y: event.clientY },
        dropLink,
        dropInto: dropLink === null ? frameUnder(point, types) : null,
      });
    };
    const end = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', end);
      window.removeEventListener('keydown', cancel, true);
      useView.setState({ carried: null, dropLink: null, dropInto: null });
    };
    const up = (event: PointerEvent) => {
      const { dropLink } = useView.getState();
      end();
      if (!carried.current) return;
      const { place, point } = dropPlace(event.clientX, event.clientY);
      if (place) actions.add(type, dropLink === null ? { place, into: frameUnder(point, types) } : { place, onLink: dropLink });
    };
    const cancel = (event: KeyboardEvent) => {
      if (event.key === 'Escape') end();
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', end);
    window.addEventListener('keydown', cancel, true);
  };

  /** The click that ends a drag is no press. */
  const wasCarried = () => {
    const was = carried.current;
    carried.current = false;
    return was;
  };

  return { onPointerDown, wasCarried };
}
