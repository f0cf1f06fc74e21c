import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../document/fixtures';
import { useEditor } from '../store';
import { useView } from '../view';
import { FindingRow } from './FindingRow';

const finding: Finding = {
  code: 'no_failure_lane', severity: 'warning', step: 'call', path: '/steps/call', message: 'Nothing says what happens when it fails.', fix: 'Choose.',
  repair: { does: 'Ask a person when it fails', patch: [{ op: 'add', path: '/steps/call/on_error', value: { then: 'ask' } }] },
};

function show(one: Finding, readOnly = false) {
  useEditor.getState().open('f', sampleFlow(), readOnly);
  const client = new QueryClient();
  client.setQueryData(['step-types'], catalogue);
  render(<QueryClientProvider client={client}><Foundations><ul><FindingRow finding={one} /></ul></Foundations></QueryClientProvider>);
}

beforeEach(() => useView.setState({ selected: [] }));

describe('a finding', () => {
  it('says code, step, cause and what to do, and leads to the step', () => {
    show(finding);
    const row = screen.getByRole('listitem').textContent;
    for (const part of ['no_failure_lane', 'Nothing says what happens', 'Choose.']) expect(row).toContain(part);
    fireEvent.click(screen.getByText('no_failure_lane'));
    expect(useView.getState().selected).toEqual(['call']);
  });

  it('is put right with one press, which one undo takes back', () => {
    show(finding);
    fireEvent.click(screen.getByText('Ask a person when it fails'));
    expect(useEditor.getState().document.steps['call']?.['on_error']).toEqual({ then: 'ask' });
    expect(useEditor.getState().past.at(-1)?.label).toBe('Ask a person when it fails');
    useEditor.getState().undo();
    expect(useEditor.getState().document).toEqual(sampleFlow());
  });

  it('changes nothing where the flow is another by now', () => {
    show({ ...finding, repair: { does: 'Take it out', patch: [{ op: 'remove', path: '/links/99' }] } });
    fireEvent.click(screen.getByText('Take it out'));
    expect(useEditor.getState().past).toHaveLength(0);
  });

  it('offers nothing where no one way is safe, or to who may only look', () => {
    show({ ...finding, repair: null });
    expect(screen.queryByText('Ask a person when it fails')).toBeNull();
    show(finding, true);
    expect(screen.queryByText('Ask a person when it fails')).toBeNull();
  });
});
