import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { sampleKeys } from '~/api/testing';
import type { StepType } from '~/api/types';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from '../../document/fixtures';
import { useFindings } from '../../findings';
import { useEditor } from '../../store';
import { ConfigForm } from '../ConfigForm';

const schema = { type: 'object', properties: { outcome: { type: 'string', title: 'Outcome' }, output: { title: 'What it gives', 'x-feel': 'template', 'x-widget': 'value' } } };
const output = () => useEditor.getState().document.steps['end']?.config['output'];

function show(readOnly = false) {
  const flow = sampleFlow();
  flow.settings = {
    contract: {
      input: { type: 'object', properties: { name: { type: 'string', description: 'Legal name' }, amount: { type: 'number' } } },
      output: { type: 'object', required: ['id'], properties: { id: { type: 'string', description: 'Number of the vendor' }, total: { type: 'number' } } },
    },
  };
  const step = flow.steps['end'];
  if (step) flow.steps['end'] = { ...step, type: 'stop', config: { output: {} } };
  useEditor.getState().open('f', flow, readOnly);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(sampleKeys.list('f'), { results: [{ id: 's' }] });
  client.setQueryData(sampleKeys.one('f', 's'), { id: 's', trigger: { body: { name: 'Acme GmbH', amount: 12 } }, steps: {} });
  const type = { ...(catalogue.results.find((one) => one.kind === 'decide') as StepType), kind: 'stop', ports: [], ports_from: null, config_schema: schema } as unknown as StepType;
  render(
    <QueryClientProvider client={client}>
      <Foundations><ConfigForm flowId="f" owner="end" type={type} /></Foundations>
    </QueryClientProvider>,
  );
}
const open = async () => {
  fireEvent.click(screen.getByText('Map side by side'));
  return screen.findByLabelText('Needed');
};
/** Happy-dom drags nothing by itself: what is carried is handed over. */
const carrying = (path: string) => ({ dataTransfer: { types: ['application/x-signalbox-path'], getData: () => path, setData: vi.fn() } });

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useFindings.setState({ findings: [] });
});

describe('mapping in two columns', () => {
  it('shows what is available with type, sample and meaning, beside what is needed', async () => {
    show();
    const needed = await open();
    const available = screen.getByLabelText('Available');
    const name = within(available).getByText('trigger.body.name').closest('button');
    expect(name?.textContent).toContain('text');
    expect(name?.textContent).toContain('Legal name');
    expect(name?.textContent).toContain('Acme GmbH');
    const id = within(needed).getByRole('group', { name: 'id' });
    expect(id.textContent).toContain('needed');
    expect(id.textContent).toContain('Number of the vendor');
    expect(id.dataset['missing']).toBe('true');
  });

  it('is done by keyboard: a value is picked, then put into a field', async () => {
    show();
    await open();
    const picked = screen.getByText('trigger.body.name').closest('button');
    if (picked) fireEvent.click(picked);
    expect(picked?.getAttribute('aria-pressed')).toBe('true');
    expect(document.activeElement).toBe(screen.getByLabelText('Put trigger.body.name into id'));
    fireEvent.click(screen.getByLabelText('Put trigger.body.name into id'));
    expect(output()).toEqual({ id: '= trigger.body.name' });
    expect(screen.queryByText('Put here')).toBeNull();
    // The button that had the focus is gone: it stands on the value again, not nowhere.
    expect(document.activeElement).toBe(picked);
  });

  it('lets go of what is held with Escape', async () => {
    show();
    const needed = await open();
    fireEvent.click(screen.getByText('trigger.body.name'));
    fireEvent.keyDown(needed, { key: 'Escape' });
    expect(screen.queryByText('Put here')).toBeNull();
    expect(screen.getByLabelText('Needed')).toBeTruthy();
  });

  it('is done by dragging, onto a field or to make a new one', async () => {
    show();
    const needed = await open();
    fireEvent.drop(within(needed).getByRole('group', { name: 'total' }), carrying('trigger.body.amount'));
    fireEvent.drop(within(needed).getByRole('group', { name: 'New field' }), carrying('trigger.body.name'));
    expect(output()).toEqual({ total: '= trigger.body.amount', name: '= trigger.body.name' });
    fireEvent.drop(within(needed).getByRole('group', { name: 'total' }), carrying('not.there'));
    expect(output()).toEqual({ total: '= trigger.body.amount', name: '= trigger.body.name' });
  });

  it('says at the field what the check found', async () => {
    show();
    await open();
    useEditor.getState().apply('x', (doc) => { const end = doc.steps['end']; if (end) end.config['output'] = { id: '= trigger.body.amount' }; });
    useFindings.setState({ findings: [{ code: 'type_mismatch', severity: 'error', step: 'end', path: '/steps/end/config/output/id', message: 'It is a number; “id” takes text.', fix: 'Make text of it.' }] });
    const needed = screen.getByLabelText('Needed');
    expect(await within(needed).findByText(/takes text/)).toBeTruthy();
  });

  it('is not offered to who may only look', () => {
    show(true);
    expect(screen.queryByText('Map side by side')).toBeNull();
  });
});
