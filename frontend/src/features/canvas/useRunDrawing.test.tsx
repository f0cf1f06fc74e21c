import { renderHook } from '@testing-library/react';
import type { ReactNode } from 'react';
import { describe, expect, it } from 'vitest';
import { Foundations } from '~/app/App';
import { sampleFlow, types } from '~/features/editor/document/fixtures';
import type { CardRunState } from './StepCard';
import { useRunDrawing } from './useRunDrawing';

const document = sampleFlow();
const state = (status: string): CardRunState => ({ status, statusLabel: status });
const read = (note: string, times: number) => ({
  document, types, selected: 'size',
  // As after each read of the run: equal, and another object.
  runs: Object.fromEntries(['trigger', 'size', 'call', 'note', 'end'].map((id) => [id, state(id === 'note' ? note : 'completed')])),
  taken: { 'trigger:done>size': 1, 'size:small>note': times },
});
const wrapper = ({ children }: { children: ReactNode }) => <Foundations>{children}</Foundations>;

describe('the picture of a run that goes on', () => {
  it('draws again only the cards and links that say something else', () => {
    const { result, rerender } = renderHook((given) => useRunDrawing(given), { wrapper, initialProps: read('running', 0) });
    const first = result.current;
    rerender(read('running', 0));
    expect(result.current.nodes.every((node, at) => node === first.nodes[at])).toBe(true);
    expect(result.current.edges.every((edge, at) => edge === first.edges[at])).toBe(true);
    rerender(read('completed', 1));
    const changed = (now: readonly { id: string }[], before: readonly { id: string }[]) => now.filter((one, at) => one !== before[at]).map(({ id }) => id);
    expect(changed(result.current.nodes, first.nodes)).toEqual(['note']);
    expect(changed(result.current.edges, first.edges)).toEqual(['size:small>note']);
    expect(result.current.nodes.find((node) => node.id === 'note')?.data.run?.status).toBe('completed');
    rerender({ ...read('completed', 1), selected: 'end' });
    expect(result.current.nodes.filter((node) => node.selected).map(({ id }) => id)).toEqual(['end']);
  });
});
