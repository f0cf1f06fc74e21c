import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { staleKeys, startLive, useLive } from './live';

class Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  close() {}
  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: Socket[];
let marked: unknown[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  marked = [];
  const client = new QueryClient();
  vi.spyOn(client, 'invalidateQueries').mockImplementation((filter) => {
    marked.push(filter?.queryKey);
    return Promise.resolve();
  });
  const makeSocket = () => {
    const socket = new Socket();
    sockets.push(socket);
    return socket as unknown as WebSocket;
  };
  stop = startLive({ client, url: 'ws://here/', makeSocket });
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

it('marks what a message names, once for many messages', () => {
  sockets[0]!.onopen?.();
  sockets[0]!.say({ seq: 4, type: 'hello' });
  for (let seq = 5; seq < 55; seq += 1) sockets[0]!.say({ seq, type: 'run', ids: ['a'] });
  expect(marked).toEqual([]);
  vi.advanceTimersByTime(250);
  expect(marked).toEqual([['runs', 'list'], ['runs', 'latest'], ['runs', 'count'], ['runs', 'one', 'a']]);
});

it('reads everything again after a gap', () => {
  sockets[0]!.onopen?.();
  sockets[0]!.say({ seq: 1, type: 'hello' });
  sockets[0]!.say({ seq: 3, type: 'task', ids: ['b'] });
  expect(marked).toEqual([['flows'], ['runs'], ['tasks'], ['alerts'], ['audit']]);
});

it('asks every 15 seconds while the line is down, and once when it is back', () => {
  sockets[0]!.onopen?.();
  sockets[0]!.onclose?.();
  expect(useLive.getState().status).toBe('down');
  vi.advanceTimersByTime(15_000);
  expect(marked.length).toBe(5);
  expect(sockets.length).toBe(2);
  sockets[1]!.onopen?.();
  expect(marked.length).toBe(10);
  expect(useLive.getState().status).toBe('open');
});

it('an alert or a change without ids makes the whole list stale', () => {
  expect(staleKeys({ seq: 1, type: 'alert', ids: ['x'] })).toEqual([['alerts']]);
  expect(staleKeys({ seq: 1, type: 'flow' })).toEqual([['flows']]);
});
