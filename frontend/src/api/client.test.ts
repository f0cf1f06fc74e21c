import { beforeEach, expect, it, vi } from 'vitest';
import { address, api, onSignedOut, page } from './client';
import { isProblem, Offline, Problem } from './problem';

const fetched = vi.fn<typeof fetch>();
const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers } });

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal('fetch', fetched);
  document.cookie = 'csrftoken=abc';
});

it('leaves out what is not asked for', () => {
  expect(address('flows/', { search: 'a b', state: undefined, limit: 20 })).toBe('/api/v1/flows/?search=a+b&limit=20');
});

it('sends the token, the revision and the key of a change', async () => {
  fetched.mockResolvedValue(answer({ ok: true }, 200, { ETag: '"8"' }));
  const { revision } = await api.answer('PUT', 'flows/1/draft/', { body: { a: 1 }, ifMatch: 7, idempotencyKey: 'k' });
  const headers = new Headers(fetched.mock.calls[0]![1]?.headers);
  expect([headers.get('X-CSRFToken'), headers.get('If-Match'), headers.get('Idempotency-Key')]).toEqual(['abc', '"7"', 'k']);
  expect(revision).toBe(8);
});

it('throws the server’s sentence', async () => {
  fetched.mockResolvedValue(answer({ status: 412, code: 'stale', detail: 'Grace saved a minute ago.' }, 412));
  const error = await api.get('flows/').catch((problem: unknown) => problem);
  expect(isProblem(error, 'stale')).toBe(true);
  expect((error as Problem).message).toBe('Grace saved a minute ago.');
});

it('tells a lost connection from a refusal', async () => {
  fetched.mockRejectedValue(new TypeError('failed'));
  await expect(api.get('flows/')).rejects.toBeInstanceOf(Offline);
});

it('says once that the session has ended', async () => {
  const told = vi.fn();
  const off = onSignedOut(told);
  fetched.mockResolvedValue(answer({ status: 401, code: 'not_authenticated' }, 401));
  await expect(api.get('me/')).rejects.toBeInstanceOf(Problem);
  off();
  expect(told).toHaveBeenCalledOnce();
});

it('follows the server’s own address of the next page', async () => {
  fetched.mockImplementation(() => Promise.resolve(answer({ results: [], next: null, previous: null })));
  await page('flows/', {}, 'http://elsewhere.example/api/v1/flows/?cursor=xyz');
  expect(fetched.mock.calls[0]![0]).toBe('/api/v1/flows/?cursor=xyz');
});

it('reads an empty answer', async () => {
  fetched.mockResolvedValue(answer(null, 204));
  await expect(api.post('me/sessions/end/')).resolves.toBeNull();
});
