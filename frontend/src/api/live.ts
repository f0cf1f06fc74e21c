import type { QueryClient, QueryKey } from '@tanstack/react-query';
import { create } from 'zustand';

export type LiveKind = 'flow' | 'run' | 'task' | 'alert' | 'audit';

interface Message {
  seq: number;
  type: LiveKind | 'hello';
  ids?: string[];
}

/** A page of somebody, maybe another one of one's own, that shows the same flow. */
export interface Said {
  type: 'here' | 'gone';
  flow: string;
  who: { id: string; user: string; name: string };
  selected?: string[];
}

const listeners = new Set<(said: Said) => void>();
let speak: ((text: string) => void) | null = null;

/** Hears of the pages that show the same flow as this one says it shows. */
export function onSaid(listener: (said: Said) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Says something on the live channel; nothing where it is not open, which is no loss. */
export const sayLive = (message: { type: 'here'; flow: string; selected: string[] } | { type: 'gone' }): void => speak?.(JSON.stringify(message));

interface LiveState {
  /** `down`: nothing is pushed, so pages are read again every 15 seconds. */
  status: 'connecting' | 'open' | 'down';
}

export const useLive = create<LiveState>()(() => ({ status: 'connecting' }));

const ROOTS: Record<LiveKind, string> = {
  flow: 'flows', run: 'runs', task: 'tasks', alert: 'alerts', audit: 'audit',
};

/** What may have changed after a message. Lists go stale as a whole, pages by their id. */
export function staleKeys(message: Message): QueryKey[] {
  if (message.type === 'hello') return [];
  const root = ROOTS[message.type];
  const ids = message.ids ?? [];
  if (ids.length === 0 || message.type === 'alert' || message.type === 'audit') return [[root]];
  return [[root, 'list'], [root, 'latest'], [root, 'count'], ...ids.map((id) => [root, 'one', id])];
}

const GATHER_MS = 200;
/** A read that takes longer is given up, and what came meanwhile is read instead. */
const LONGEST_READ_MS = 5_000;
const POLL_MS = 15_000;
const LONGEST_PAUSE_MS = 15_000;

interface Options {
  client: QueryClient;
  url: string;
  makeSocket?: (url: string) => WebSocket;
}

/**
 * Keeps the pages current: marks what changed as stale, and everything after a gap in the numbers
 * or a new connection. Messages are gathered, so that 50 a second are five refreshes; where reading
 * takes longer than that, the next read waits for the last and rests as long as it took. Reading
 * anew at once would break off what is on its way: a busy page would stand still, a busy server
 * would answer nobody.
 */
export function startLive({ client, url, makeSocket = (to) => new WebSocket(to) }: Options): () => void {
  let socket: WebSocket | null = null;
  let last: number | null = null;
  let attempts = 0;
  let stopped = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let pending = new Map<string, QueryKey>();

  const markAll = () => Object.values(ROOTS).forEach((root) => void client.invalidateQueries({ queryKey: [root] }));
  const flush = () => {
    flushTimer = undefined;
    const keys = [...pending.values()];
    pending = new Map();
    isReading = true;
    const began = Date.now();
    const done = () => {
      clearTimeout(patience);
      if (!isReading || stopped) return;
      isReading = false;
      if (pending.size > 0) flushTimer ??= setTimeout(flush, Math.max(GATHER_MS, Date.now() - began));
    };
    const patience = setTimeout(done, LONGEST_READ_MS);
    void Promise.allSettled(keys.map((queryKey) => client.invalidateQueries({ queryKey }))).then(done);
  };

  const receive = (event: MessageEvent<string>) => {
    const message = JSON.parse(event.data) as Message | (Said & { seq: number });
    const missed = last !== null && message.seq > last + 1;
    last = message.seq;
    if (missed) markAll();
    if ('who' in message) return listeners.forEach((hear) => hear(message));
    if (missed) return;
    staleKeys(message).forEach((key) => pending.set(JSON.stringify(key), key));
    if (!isReading) flushTimer ??= setTimeout(flush, GATHER_MS);
  };

  const connect = () => {
    if (stopped) return;
    socket = makeSocket(url);
    socket.onopen = () => {
      if (attempts > 0) markAll();
      attempts = 0;
      last = null;
      speak = (text) => { if (socket?.readyState === 1) socket.send(text); };
      useLive.setState({ status: 'open' });
    };
    socket.onmessage = receive;
    socket.onclose = () => {
      if (stopped) return;
      attempts += 1;
      useLive.setState({ status: 'down' });
      retryTimer = setTimeout(connect, Math.min(500 * 2 ** attempts, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2));
    };
  };

  const poll = setInterval(() => {
    if (useLive.getState().status === 'down') markAll();
  }, POLL_MS);
  connect();

  return () => {
    stopped = true;
    clearInterval(poll);
    clearTimeout(retryTimer);
    clearTimeout(flushTimer);
    socket?.close();
    speak = null;
    useLive.setState({ status: 'connecting' });
  };
}

export const liveUrl = (): string =>
  `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/ws/live/`;
