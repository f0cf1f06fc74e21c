import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StepType } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../../document/fixtures';
import { useFindings } from '../../findings';
import { useEditor } from '../../store';
import { ConfigForm } from '../ConfigForm';

const ID = '019a2f3c-7d4e-7a10-8f00-000000000100';
const subflow: StepType = {
  ...catalogue.results[0]!,
  kind: 'subflow', title: 'Run a flow', ports: ['done', 'error'], ports_from: null,
  config_schema: {
    type: 'object',
    required: ['flow'],
    properties: {
      flow: { type: 'string', title: 'Flow', 'x-widget': 'flow' },
      version: { anyOf: [{ const: 'latest', type: 'string' }, { type: 'integer' }], default: 'latest', title: 'Version', 'x-widget': 'flow-version' },
      input: { type: 'object', additionalProperties: {}, title: 'Input', 'x-widget': 'flow-input' },
    },
  },
};
const called = { id: ID, name: 'Vendor check', state: 'active', active_version: 3, owner: null };
const contract = { input: { type: 'object', required: ['amount'], properties: { note: { type: 'string' }, amount: { type: 'number' } } } };

const config = () => useEditor.getState().document.steps['call']!.config;

function show(given: Record<string, unknown>, settings: object = { contract }) {
  const document = sampleFlow();
  document.steps['call'] = { type: 'subflow', version: 1, title: 'Run a flow', config: given };
  useEditor.getState().open('f', document, false);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  client.setQueryData(['step-types'], { ...catalogue, results: [...catalogue.results, subflow] });
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  client.setQueryData(['flows', 'one', ID], called);
  const page = (results: unknown[]) => ({ pages: [{ results, next: null, previous: null }], pageParams: [null] });
  client.setQueryData(['flows', 'list', 'paged', { search: undefined, limit: 50 }], page([called]));
  client.setQueryData(['flows', 'one', ID, 'versions', 'paged', {}], page([{ number: 3, note: 'Limit raised' }, { number: 2, note: '' }]));
  for (const number of [2, 3]) client.setQueryData(['versions', ID, number], { number, document: { ...sampleFlow(), settings } });
  return render(
    <QueryClientProvider client={client}>
      <Foundations><ConfigForm flowId="f" owner="call" type={subflow} /></Foundations>
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useFindings.setState({ findings: [] });
});

describe('a step that runs a flow', () => {
  it('chooses it by its name, and is called as it until somebody names it', async () => {
    show({ flow: '', version: 'latest', input: {} });
    fireEvent.click(screen.getByRole('combobox', { name: /^Flow/ }));
    fireEvent.click(await screen.findByRole('option', { name: 'Vendor check' }));
    expect(config()['flow']).toBe(ID);
    expect(useEditor.getState().document.steps['call']!.title).toBe('Vendor check');
  });

  it('shows a field for each name that the flow asks for, what must be there first', () => {
    show({ flow: ID, version: 'latest', input: {} });
    expect([...document.querySelectorAll('[data-field^="input."] code')].map((one) => one.textContent)).toEqual(['amount', 'note']);
    fireEvent.change(screen.getByRole('textbox', { name: 'amount' }), { target: { value: '12' } });
    expect(config()['input']).toEqual({ amount: '12' });
  });

  it('keeps what it is given beyond that', () => {
    show({ flow: ID, version: 'latest', input: { amount: '1', more: 'x' } });
    expect(screen.getByDisplayValue('more')).toBeTruthy();
    fireEvent.change(screen.getByRole('textbox', { name: 'amount' }), { target: { value: '2' } });
    expect(config()['input']).toEqual({ amount: '2', more: 'x' });
  });

  it('may leave out what need not be there', () => {
    show({ flow: ID, version: 'latest', input: { amount: '1', note: 'x' } });
    fireEvent.click(screen.getByRole('button', { name: 'Leave out note' }));
    expect(config()['input']).toEqual({ amount: '1' });
    expect(screen.queryByRole('button', { name: 'Leave out amount' })).toBeNull();
  });

  it('says where the flow does not say what it takes', () => {
    show({ flow: ID, version: 'latest', input: {} }, {});
    expect(screen.getByText(/does not say what it takes/)).toBeTruthy();
  });

  it('is tied to one version, or to none', () => {
    show({ flow: ID, version: 'latest', input: {} });
    fireEvent.click(screen.getByRole('radio', { name: /Always the same/ }));
    expect(config()['version']).toBe(3);
    fireEvent.click(screen.getByRole('radio', { name: /latest that fits/ }));
    expect(config()['version']).toBe('latest');
  });
});
