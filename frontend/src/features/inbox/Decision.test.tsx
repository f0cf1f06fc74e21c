import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
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
  await waitFor(() => expect(bodies()).toEqual([{ outcome: 'rejected', comment: '', seen: 's', heard: 0 }]));
});

it('rejects in one step with a reason', async () => {
  fireEvent.change(screen.getByLabelText('Comment'), { target: { value: 'too dear' } });
  press('Reject');
  await waitFor(() => expect(bodies()).toEqual([{ outcome: 'rejected', comment: 'too dear', seen: 's', heard: 0 }]));
});

it('approves in one step', async () => {
  press('Approve');
  await waitFor(() => expect(bodies()).toHaveLength(1));
});

const key = (name: string, more: object = {}) => fireEvent.keyDown(document.activeElement ?? document.body, { key: name, ...more });

it('decides nothing by one stray key: a letter asks, and the answer is sent from there', async () => {
  key('a');
  const dialog = await screen.findByRole('dialog', { name: /Approve/ });
  expect(sent).not.toHaveBeenCalled();
  // While it is asked, letters are text or nothing.
  key('r');
  key('Enter');
  expect(sent).not.toHaveBeenCalled();
  fireEvent.click(within(dialog).getByRole('button', { name: 'Approve' }));
  await waitFor(() => expect(bodies()).toHaveLength(1));
});

it('sends by Ctrl and Enter in the comment, and asks for a word before it rejects', async () => {
  key('r');
  const field = await screen.findByRole('dialog').then((dialog) => within(dialog).getByLabelText('Comment'));
  fireEvent.keyDown(field, { key: 'Enter' });
  expect(sent).not.toHaveBeenCalled();
  fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
  expect(sent).not.toHaveBeenCalled();
  expect(within(screen.getByRole('dialog')).getByRole('alert').textContent).toContain('without a reason');
  fireEvent.change(field, { target: { value: 'too dear' } });
  fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
  await waitFor(() => expect(bodies()).toMatchObject([{ outcome: 'rejected', comment: 'too dear' }]));
});

it('hears no letter while somebody types, holds a key down, presses another with it, or has switched them off', () => {
  fireEvent.keyDown(screen.getByLabelText('Comment'), { key: 'a' });
  key('a', { ctrlKey: true });
  key('a', { repeat: true });
  window.localStorage.setItem('signalbox.letters', 'off');
  key('a');
  window.localStorage.removeItem('signalbox.letters');
  expect(screen.queryByRole('dialog')).toBeNull();
});
