import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { Foundations } from '~/app/App';
import { CalendarPage } from './CalendarPage';

const nine = [{ from: '09:00', to: '17:00' }];
const kept = { zone: 'UTC', hours: [nine, nine, nine, nine, nine, [], []], holidays: [] };

it('keeps hours until midnight and days off, and sends the calendar as a whole', async () => {
  const sent = vi.fn<typeof fetch>((_, init) => Promise.resolve(new Response(init?.method === 'PUT' ? (init.body as string) : JSON.stringify(kept), { headers: { 'Content-Type': 'application/json' } })));
  vi.stubGlobal('fetch', sent);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Foundations><CalendarPage /></Foundations>
    </QueryClientProvider>,
  );
  const save = await screen.findByRole('button', { name: 'Save' });
  expect(save).toHaveProperty('disabled', true);
  fireEvent.click(screen.getByRole('button', { name: 'Add hours on Saturday' }));
  fireEvent.change(screen.getByLabelText('Saturday, from'), { target: { value: '22:00' } });
  fireEvent.change(screen.getByLabelText('Saturday, to'), { target: { value: '00:00' } });
  fireEvent.click(screen.getByRole('button', { name: 'Remove the hours on Friday from 09:00' }));
  fireEvent.click(screen.getByRole('button', { name: 'Add day off' }));
  fireEvent.change(screen.getByLabelText('Day'), { target: { value: '2026-12-25' } });
  fireEvent.change(screen.getByLabelText('What it is'), { target: { value: 'Christmas' } });
  fireEvent.submit(save.closest('form')!);
  const put = () => sent.mock.calls.find(([, init]) => init?.method === 'PUT');
  await waitFor(() => expect(put()).toBeDefined());
  expect(JSON.parse(put()?.[1]?.body as string)).toEqual({
    zone: 'UTC',
    hours: [nine, nine, nine, nine, [], [{ from: '22:00', to: '24:00' }], []],
    holidays: [{ date: '2026-12-25', name: 'Christmas' }],
  });
});
