import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Foundations } from '~/app/App';
import { catalogue, nestedFlow, types } from './document/fixtures';
import { StepRules } from './StepRules';
import { useEditor } from './store';
import { useView } from './view';

const step = (id: string) => useEditor.getState().document.steps[id];
const show = (id: string) => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  return render(
    <QueryClientProvider client={client}>
      <Foundations><StepRules flowId="f" id={id} type={types.step(step(id)?.type ?? '')} /></Foundations>
    </QueryClientProvider>,
  );
};
const type = (label: RegExp, value: string) => fireEvent.change(screen.getAllByLabelText(label)[0]!, { target: { value } });

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useEditor.getState().open('f', nestedFlow(), false);
});

describe('what any step may say', () => {
  it('is written down field by field and taken back', () => {
    show('ask');
    type(/^Time limit$/, '5');
    expect(step('ask')?.['time_limit']).toBe('P5D');
    fireEvent.click(screen.getByLabelText('Leave by a way of its own, “error”'));
    expect(step('ask')?.['on_error']).toEqual({ then: 'path' });
    fireEvent.click(screen.getByLabelText('Stop the run'));
    expect(step('ask')).not.toHaveProperty('on_error');
    type(/^One at a time/, 'ledger');
    type(/^Time limit$/, '');
    expect(step('ask')).toMatchObject({ lock: 'ledger' });
    expect(step('ask')).not.toHaveProperty('time_limit');
  });

  it('asks for the value to go on with only where it goes on', () => {
    show('ask');
    expect(screen.queryByText('Value to go on with')).toBeNull();
    fireEvent.click(screen.getByLabelText('Go on with a value'));
    expect(screen.getByText('Value to go on with')).toBeDefined();
    expect(step('ask')?.['on_error']).toEqual({ then: 'default', output: {} });
  });

  it('offers a second way for errors only to steps without one, and limits only to what touches the outside', () => {
    show('tell');
    expect(screen.queryByLabelText('Leave by a way of its own, “error”')).toBeNull();
    type(/^At most$/, '3');
    expect(step('tell')?.['concurrency']).toEqual({ max: 3 });
    type(/^At most$/, '');
    expect(step('tell')).not.toHaveProperty('concurrency');
  });

  it('says of a step that takes another back which one', () => {
    show('untell');
    expect(screen.getByText('Takes back Tell')).toBeDefined();
  });

  it('asks for the step that takes this one back', () => {
    show('ask');
    fireEvent.click(screen.getByText('Add a step that takes it back'));
    expect(useView.getState().asking).toMatchObject({ kind: 'add', undoes: 'ask' });
  });
});
