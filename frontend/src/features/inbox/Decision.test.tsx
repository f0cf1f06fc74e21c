import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Task } from '~/api/types';
import { Foundations } from '~/app/App';
import { Decision } from './Decision';

const task = {
  id: 't', status: 'open', seen: 's', may_decide: true, why_not: '',
  answers: [{ outcome: 'approved', label: 'Approve', then: '', side: 'for' }, { outcome: 'rejected', label: 'Reject', then: '', side: 'against' }],
  outcomes: ['approved', 'rejected'],
} as unknown as Task;
const sent = vi.fn<typeof fetch>();
const bodies = () => sent.mock.calls.map(([, init]) => JSON.parse(init?.body as string) as unknown);

beforeEach(() => {
  sent.mockReset();
  sent.mockResolvedValue(new Response('{}', { headers: { 'Content-Type': 'application/json' } }));
  vi.stubGlobal('fetch', sent);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Foundations><Decision task={task} refresh={vi.fn()} /></Foundations>
    </QueryClientProvider>,
  );
});
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }));

it('asks once before a rejection without a word', async () => {
  press('Reject');
  expect(screen.getByRole('alert').textContent).toContain('Reject without a reason?');
  expect(sent).not.toHaveBeenCalled();
  press('Reject as it is');
  await waitFor(() => expect(bodies()).toEqual([{ outcome: 'rejected', comment: '', seen: 's' }]));
});

it('rejects in one step with a reason', async () => {
  fireEvent.change(screen.getByLabelText('Comment'), { target: { value: 'too dear' } });
  press('Reject');
  await waitFor(() => expect(bodies()).toEqual([{ outcome: 'rejected', comment: 'too dear', seen: 's' }]));
});

it('approves in one step', async () => {
  press('Approve');
  await waitFor(() => expect(bodies()).toHaveLength(1));
});
