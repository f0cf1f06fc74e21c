import { useStore } from '@xyflow/react';

/** Below half size a card shows only its icon and title. */
export const FAR = 0.5;
export const useFar = (): boolean => useStore((state) => state.transform[2] < FAR);

export const GRID = 16;
export const SNAP: [number, number] = [8, 8];
