import { useStore } from '@xyflow/react';

/** Below half size a card shows only its icon and title. */
export const FAR = 0.5;
export const useFar = (): boolean => useStore((state) => state.transform[2] < FAR);

/** The same for what is drawn: until the first view is known, no more is drawn than may be needed. */
export const useDrawnFar = (): boolean => useStore((state) => state.transform[2] < FAR || state.fitViewQueued);

export const GRID = 16;
export const SNAP: [number, number] = [8, 8];
