import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Foundations } from '~/app/App';
import { catalogue, sampleFlow } from './document/fixtures';
import { useFindings } from './findings';
import { FlowRules } from './FlowRules';
import { useEditor } from './store';

const settings = () => useEditor.getState().document.settings ?? {};

function show(readOnly = false, given: Record<string, unknown> = {}) {
  useEditor.getState().open('f', { ...sampleFlow(), settings: given }, readOnly);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['runs', 'list', 'sample', 'f'], null);
  return render(
    <QueryClientProvider client={client}>
      <Foundations><FlowRules flowId="f" /></Foundations>
    </QueryClientProvider>,
  );
}

const choose = async (label: string, option: string) => {
  const box = screen.getAllByLabelText(label).find((one) => one instanceof HTMLInputElement)!;
  fireEvent.click(box);
  const list = await waitFor(() => document.getElementById(box.getAttribute('aria-controls') ?? '')!);
  fireEvent.click(within(list).getByText(option));
};

beforeEach(() => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response('{"results": []}', { headers: { 'Content-Type': 'application/json' } }))));
  useFindings.setState({ findings: [] });
});

describe('what a flow takes', () => {
  it('is put together by name, kind and whether it must be there', async () => {
    show(false, { contract: { input: { type: 'object', properties: {} } } });
    fireEvent.click(screen.getAllByText('Add a name')[0]!);
    fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'amount' } });
    await choose('What “amount” is', 'Number');
    expect(settings()['contract']).toEqual({ input: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] } });
    fireEvent.click(screen.getByLabelText('Must be there'));
    fireEvent.click(screen.getByLabelText('Nothing else may be there'));
    expect(settings()['contract']).toEqual({ input: { type: 'object', properties: { amount: { type: 'number' } }, additionalProperties: false } });
  });

  it('is gone from the document once it is anything', async () => {
    show(false, { owner: 'a@example.org', contract: { input: { type: 'number' } } });
    await choose('It takes', 'Anything');
    expect(settings()).toEqual({ owner: 'a@example.org' });
  });

  it('keeps a rule that was written by hand', () => {
    const input = { type: 'object', properties: { sku: { type: 'string', pattern: '^A-' } } };
    show(false, { contract: { input } });
    expect(screen.getByText(/rule of its own that these fields/)).toBeTruthy();
    fireEvent.click(screen.getByRole('checkbox', { name: 'Must be there' }));
    expect(settings()['contract']).toEqual({ input: { ...input, required: ['sku'] } });
  });

  it('takes over no name that is taken', () => {
    show(false, { contract: { input: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } } } });
    const [, second] = screen.getAllByRole('textbox', { name: 'Name' });
    fireEvent.change(second!, { target: { value: 'a' } });
    expect(screen.getByText(/is taken|already/i)).toBeTruthy();
    expect(Object.keys((settings()['contract'] as { input: { properties: object } }).input.properties)).toEqual(['a', 'b']);
  });

  it('cannot be changed by who may only look', () => {
    show(true, { contract: { input: { type: 'object', properties: { a: { type: 'string' } } } } });
    expect(screen.queryByRole('button', { name: 'Add a name' })).toBeNull();
    expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'Must be there' }).disabled).toBe(true);
  });
});

describe('how a flow runs', () => {
  it('is said in words, and nothing where nothing is said', () => {
    show(false, { max_steps: 5 });
    const steps = screen.getByRole('textbox', { name: /Most steps in one run/ });
    fireEvent.change(steps, { target: { value: '50' } });
    expect(settings()).toEqual({ max_steps: 50 });
    fireEvent.change(steps, { target: { value: '' } });
    expect(settings()).toEqual({});
  });
});
