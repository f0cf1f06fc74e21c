import { createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';

export interface Slots {
  aside: HTMLElement | null;
  actions: HTMLElement | null;
}

export const HeaderSlots = createContext<Slots>({ aside: null, actions: null });

/**
 * Puts a part of the open tab into the flow's one header: `aside` behind the name (save state),
 * `actions` at the right end (Check, Publish).
 */
export function HeaderSlot({ place, children }: { place: keyof Slots; children: ReactNode }) {
  const target = useContext(HeaderSlots)[place];
  return target ? createPortal(children, target) : null;
}
