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
let reading: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  marked = [];
  const client = new QueryClient();
  reading = Promise.resolve();
  vi.spyOn(client, 'invalidateQueries').mockImplementation((filter) => {
    marked.push(filter?.queryKey);
    return reading;
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

it('waits for what it reads before it reads again, then rests as long as that took', async () => {
  let answer: () => void = () => undefined;
  reading = new Promise((resolve) => { answer = resolve; });
  const run = (seq: number) => sockets[0]!.say({ seq, type: 'run', ids: ['a'] });
  sockets[0]!.onopen?.();
  run(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(marked.length).toBe(4);
  run(2);
  run(3);
  await vi.advanceTimersByTimeAsync(600);
  expect(marked.length).toBe(4);
  answer();
  reading = new Promise(() => undefined);
  await vi.advanceTimersByTimeAsync(590);
  expect(marked.length).toBe(4);
  await vi.advanceTimersByTimeAsync(20);
  expect(marked.length).toBe(8);
  // One that is never answered holds nothing up for ever.
  run(4);
  await vi.advanceTimersByTimeAsync(10_100);
  expect(marked.length).toBe(12);
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
