import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { Foundations } from '~/app/App';
import { InvitePerson } from './InvitePerson';

function opened() {
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <Foundations><InvitePerson onClose={vi.fn()} /></Foundations>
    </QueryClientProvider>,
  );
}

it('asks for one invitation however often its button is pressed', async () => {
  const sent = vi.fn<typeof fetch>(() => Promise.resolve(new Response('{"detail": "later"}', { status: 503, headers: { 'Content-Type': 'application/problem+json' } })));
  vi.stubGlobal('fetch', sent);
  const keys = () => sent.mock.calls.filter(([, init]) => init?.method === 'POST').map(([, init]) => new Headers(init?.headers).get('Idempotency-Key'));
  const press = () => fireEvent.submit(screen.getByRole('button', { name: 'Send invitation' }).closest('form')!);
  const { unmount } = opened();
  fireEvent.change(await screen.findByLabelText(/address/i), { target: { value: 'grace@example.com' } });
  press();
  press();
  await waitFor(() => expect(keys()).toHaveLength(2));
  expect(new Set(keys()).size).toBe(1);
  unmount();
  opened();
  fireEvent.change(await screen.findByLabelText(/address/i), { target: { value: 'grace@example.com' } });
  press();
  await waitFor(() => expect(new Set(keys()).size).toBe(2));
});
