import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Me, RunAt, WaitReason } from '~/api/types';
import { Foundations } from '~/app/App';
import { BulkBar } from './BulkBar';
import { RunHistory } from './RunHistory';
import { Wait } from './Wait';

const sent = vi.fn<typeof fetch>();

function answers(body: unknown) {
  sent.mockImplementation(() => Promise.resolve(new Response(JSON.stringify(body), { status: 200, headers: { 'Content-Type': 'application/json' } })));
}

const bodies = () => sent.mock.calls.map(([url, init]) => [new URL(url as string, 'http://x').pathname, init?.body ? JSON.parse(init.body as string) as unknown : null]);

function shown(children: ReactNode) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData<Partial<Me>>(['me'], { rights: ['run.operate', 'run.cancel'], zone: 'UTC' });
  client.setDefaultOptions({ queries: { retry: false, staleTime: Infinity } });
  return render(<QueryClientProvider client={client}><Foundations>{children}</Foundations></QueryClientProvider>);
}

beforeEach(() => {
  sent.mockReset();
  vi.stubGlobal('fetch', sent);
});

it('counts the runs of the filter before it cancels them, and gives the reason', async () => {
  answers({ count: 7 });
  const done = vi.fn();
  shown(<BulkBar chosen={[]} filter={{ status: 'waiting', flow: undefined }} onDone={done} />);
  fireEvent.click(await screen.findByRole('button', { name: 'Cancel…' }));
  expect(await screen.findByText('It concerns 7 runs.')).toBeTruthy();
  fireEvent.change(screen.getByRole('textbox'), { target: { value: 'Wrong prices' } });
  fireEvent.click(screen.getByRole('button', { name: 'Yes, 7 runs' }));
  await waitFor(() => expect(done).toHaveBeenCalled());
  expect(bodies().slice(0, 2)).toEqual([
    ['/api/v1/runs/cancel/', { filter: { status: 'waiting' }, preview: true }],
    ['/api/v1/runs/cancel/', { filter: { status: 'waiting' }, reason: 'Wrong prices' }],
  ]);
});

it('means the chosen runs where some are chosen', async () => {
  answers({ count: 2 });
  shown(<BulkBar chosen={['a', 'b']} filter={{ status: 'waiting' }} onDone={vi.fn()} />);
  fireEvent.click(await screen.findByRole('button', { name: 'Pause…' }));
  expect(await screen.findByText('It concerns 2 runs.')).toBeTruthy();
  expect(bodies()[0]).toEqual(['/api/v1/runs/pause/', { ids: ['a', 'b'], preview: true }]);
});

it('goes from entry to entry of the journal', async () => {
  const then: RunAt = { seq: 2, last_seq: 5, at: '2026-11-20T10:00:00Z', type: 'step.started', step: 'ask', status: 'waiting', error: null, steps: {}, links: [], waiting_for: [{ kind: 'person', step: 'ask', title: 'Ask', since: null, until: null, missing: [] }] };
  answers(then);
  const at = vi.fn();
  shown(<RunHistory runId="r" document={undefined} at={2} onAt={at} />);
  expect(await screen.findByText('After entry 2 of 5')).toBeTruthy();
  expect(screen.getByText('Waited for: Ask')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'One entry on' }));
  fireEvent.click(screen.getByRole('button', { name: 'One entry back' }));
  expect(at.mock.calls).toEqual([[3], [1]]);
  fireEvent.click(screen.getByRole('button', { name: 'Back to now' }));
  expect(at).toHaveBeenLastCalledWith(undefined);
});

const base = { step: 's', title: 'S', until: null, detail: '' };
it.each<[WaitReason, string]>([
  [{ ...base, kind: 'person', people: ['Ada'], groups: ['Finance'] }, 'Waits for Finance, Ada.'],
  [{ ...base, kind: 'lock', lock: 'till', holders: [{ step: 'a', title: 'Count' }] }, 'Waits until Count is done: both hold the lock till.'],
  [{ ...base, kind: 'items', counts: { done: 7, failed: 1, at_work: 2, of: 20 } }, '7 of 20 items are done, 1 failed.'],
  [{ ...base, kind: 'join', missing: [{ from: 'a', port: 'done', title: 'Count' }] }, 'Waits for Count.'],
  [{ ...base, kind: 'effect' }, 'Waits for a free worker.'],
])('says exactly why it waits: %#', (reason, words) => {
  shown(<Wait reason={reason} />);
  expect(screen.getByText(words)).toBeTruthy();
});
