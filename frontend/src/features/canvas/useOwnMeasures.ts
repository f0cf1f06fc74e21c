import { useStoreApi } from '@xyflow/react';
import { useState } from 'react';

/**
 * Every node says itself how large it is and where its links begin. React Flow would look for that
 * in the page all the same, each time a card appears, and from afar there is no port to be found.
 */
export function useOwnMeasures(): void {
  const store = useStoreApi();
  useState(() => {
    const measure = store.getState().updateNodeInternals;
    store.setState({ updateNodeInternals: (updates) => measure(new Map([...updates].map(([id, update]) => [id, { ...update, force: false }]))) });
  });
}
