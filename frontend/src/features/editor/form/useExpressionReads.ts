import { useMemo } from 'react';
import { useLookup } from '~/features/canvas/catalogue';
import { useSample } from '../api';
import { useCalledOutputs } from '../called';
import { flatPaths, pathsFor } from '../document/paths';
import type { PathNode, PathSource, Sample } from '../document/paths';
import { useEditor } from '../store';

/** What expressions of a step, or of the trigger, can read; worked out when it is asked for. */
export function useExpressionReads(flowId: string, owner: string): { sources: () => PathSource[]; paths: () => PathNode[]; sample: Sample | null } {
  const types = useLookup();
  const { data } = useSample(flowId);
  const sample = data ?? null;
  const gives = useCalledOutputs();
  return useMemo(() => {
    const sources = () => pathsFor(useEditor.getState().document, owner, types, sample, gives);
    return { sources, paths: () => flatPaths(sources()), sample };
  }, [owner, types, sample, gives]);
}
