import { useStore } from '@xyflow/react';

/** Below half size a card shows only its icon and title. */
export const FAR = 0.5;
export const useFar = (): boolean => useStore((state) => state.transform[2] < FAR);

/** Below a fifth a picture of 20 px is 4: of a card its place, its tint and its first words are left. */
export const TINY = 0.2;
/** From here on a flow is large. */
export const MANY = 120;

export type Level = 'near' | 'far' | 'tiny';

/** How much of a card is drawn: until the first view is known, no more than may be needed. */
export const useDrawnLevel = (): Level =>
  useStore(({ transform, fitViewQueued, nodes }) => {
    if (fitViewQueued) return nodes.length > MANY ? 'tiny' : 'far';
    return transform[2] < TINY ? 'tiny' : transform[2] < FAR ? 'far' : 'near';
  });

/** The same for links. */
export const useDrawnFar = (): boolean => useStore((state) => state.transform[2] < FAR || state.fitViewQueued);

export const GRID = 16;
export const SNAP: [number, number] = [8, 8];
