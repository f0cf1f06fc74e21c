import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Flow } from '~/api/types';
import { Foundations } from '~/app/App';
import type { Autosave } from '../../autosave';
import { catalogue, nestedFlow } from '../../document/fixtures';
import { useEditor } from '../../store';
import { trialOf, tryOut } from '../../trial';
import { Trial } from './Trial';

const FLOW = { id: 'f', state: 'active', rights: ['view', 'run', 'edit'], active_version: 1 } as unknown as Flow;
const step = (id: string, does: string, more: object = {}) => ({ id, title: id, type: 'map', times: 1, does, outward: false, ports: [], port: 'done', given: [], output: null, ...more });
const PLAN = {
  kind: 'to', step: 'tell', hash: '', revision: 1, stand_ins: [], missing: [], reaches: true, error: null, skipped_to: null, ends: 'completed',
  steps: [step('read', 'runs'), step('tell', 'answered', { type: 'mail.send', outward: true, times: 3, ports: ['done', 'error'], given: [{ to: 'ann@example.org', key: { secret: 'crm' } }] })],
  leaves: [{ type: 'mail.send', sent: false, count: 3 }],
};

let asked: { path: string; body: Record<string, unknown> }[] = [];
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });
const answers = (path: string): Response => {
  if (path.endsWith('/test-plan/')) {
    const live = asked.at(-1)?.body['live'] as string[];
    return json(live.length > 0 ? { ...PLAN, steps: [PLAN.steps[0], { ...PLAN.steps[1], does: 'sends' }], leaves: [{ type: 'mail.send', sent: true, count: 3 }] } : PLAN);
  }
  if (path.endsWith('/test-runs/')) return json({ status: 409, code: 'plan_changed', detail: 'The flow has changed since.' }, 409);
  return json({ results: [], may_see: true });
};

const flush = vi.fn(() => Promise.resolve(true));
const show = (flow = FLOW) => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  return render(
    <QueryClientProvider client={client}>
      <Foundations><Trial flow={flow} autosave={{ flush } as unknown as Autosave} /></Foundations>
    </QueryClientProvider>,
  );
};

beforeEach(() => {
  asked = [];
  flush.mockClear();
  vi.stubGlobal('fetch', vi.fn((url: string, init?: RequestInit) => {
    asked.push({ path: url, body: typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {} });
    return Promise.resolve(answers(new URL(url, 'http://x').pathname));
  }));
  useEditor.getState().open('f', nestedFlow(), false);
  trialOf('f');
  tryOut('to', 'tell');
});

it('saves first, then says how many steps will run and that nothing leaves', async () => {
  show();
  expect(await screen.findByText('2 steps will run.')).toBeDefined();
  expect(flush).toHaveBeenCalled();
  expect(screen.getByText(/Nothing leaves\..*Answered instead of sent: 3 mails\./)).toBeDefined();
  expect(screen.getByRole('button', { name: 'Run these 2 steps' })).toBeDefined();
});

it('names on the button what is really sent, once somebody chose so', async () => {
  show();
  fireEvent.click(await screen.findByLabelText('Really send “tell”'));
  expect(await screen.findByRole('button', { name: 'Run these 2 steps and send 3 mails' })).toBeDefined();
  expect(screen.getByText(/Really sent: 3 mails\./)).toBeDefined();
});

it('starts what was announced, and looks again where that is not what would run now', async () => {
  show();
  fireEvent.click(await screen.findByRole('button', { name: 'Run these 2 steps' }));
  expect(await screen.findByText('The flow has changed since.')).toBeDefined();
  const [start] = asked.filter((one) => one.path.endsWith('/test-runs/'));
  expect(start?.body).toMatchObject({ kind: 'to', step: 'tell', announced: ['read', 'tell'], live: [] });
  await waitFor(() => expect(asked.filter((one) => one.path.endsWith('/test-plan/')).length).toBe(2));
});

it('asks nothing of the server for who may not run the flow', async () => {
  show({ ...FLOW, rights: ['view'] } as unknown as Flow);
  expect(await screen.findByText(/You may not run this flow/)).toBeDefined();
  expect(asked.some((one) => one.path.includes('test-plan'))).toBe(false);
});

it('does not try what is not saved', async () => {
  flush.mockResolvedValueOnce(false);
  show();
  expect(await screen.findByRole('alert')).toBeDefined();
  expect(asked.some((one) => one.path.includes('test-plan'))).toBe(false);
});

it('sets what an answered step gives, says what cannot be read, and goes back to the sample', async () => {
  show();
  fireEvent.click(await screen.findByRole('button', { name: 'Set what it gives: tell' }));
  const field = screen.getByRole('textbox', { name: 'What “tell” gives' });
  fireEvent.change(field, { target: { value: '{"sent": ' } });
  fireEvent.click(screen.getByRole('button', { name: 'Use this' }));
  expect(screen.getByText(/This cannot be read/)).toBeDefined();
  const before = asked.length;
  fireEvent.change(field, { target: { value: '{"sent": 1.10}' } });
  fireEvent.click(screen.getByRole('button', { name: 'Use this' }));
  await waitFor(() => expect(asked.slice(before).find((one) => one.path.endsWith('/test-plan/'))?.body['answers']).toEqual({ tell: { output: { sent: 1.1 } } }));
  expect(await screen.findByText('Your own value')).toBeDefined();
  fireEvent.click(screen.getByRole('button', { name: 'Back to the sample’s: tell' }));
  await waitFor(() => expect(asked.filter((one) => one.path.endsWith('/test-plan/')).at(-1)?.body['answers']).toEqual({}));
  expect(screen.queryByText('Your own value')).toBeNull();
});
