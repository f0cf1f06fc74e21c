import { parseExact, stringifyExact } from '~/api/exact';
import { newKey } from '~/api/client';
import type { FlowDocument } from '~/api/types';
import type { HistoryEntry } from '../store';

/** Work that the server does not have yet: kept in this browser, by person, flow and tab. */
export interface KeptWork {
  user: string;
  flow: string;
  tab: string;
  /** What the work began with, and its revision on the server. */
  revision: number;
  base: FlowDocument;
  mine: FlowDocument;
  at: number;
}

/** Where work is kept. IndexedDB in the browser; a test brings its own. */
export interface Keep {
  put: (work: KeptWork) => Promise<void>;
  remove: (work: Pick<KeptWork, 'user' | 'flow' | 'tab'>) => Promise<void>;
  of: (user: string, flow: string) => Promise<KeptWork[]>;
}

const CREDENTIAL = /authorization|cookie|token|password|passwd|api[-_]?key/i;

/** A document without credentials that somebody wrote out in a field: those never stay in a browser. */
export function withoutCredentials<V>(value: V, name = ''): V {
  if (typeof value === 'string') return (CREDENTIAL.test(name) && !value.startsWith('=') ? '' : value) as V;
  if (Array.isArray(value)) return value.map((one: unknown) => withoutCredentials(one)) as V;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutCredentials(one, key)])) as V;
}

const keyOf = ({ user, flow, tab }: Pick<KeptWork, 'user' | 'flow' | 'tab'>) => `${user}/${flow}/${tab}`;

/** Texts in a store of names: what both ways of keeping are made of. */
interface Texts {
  set: (key: string, text: string) => Promise<void>;
  delete: (key: string) => Promise<void>;
  startingWith: (start: string) => Promise<string[]>;
}

const keepIn = (texts: Texts): Keep => ({
  put: (work) => texts.set(keyOf(work), stringifyExact({ ...work, base: withoutCredentials(work.base), mine: withoutCredentials(work.mine) })),
  remove: (work) => texts.delete(keyOf(work)),
  of: async (user, flow) => (await texts.startingWith(`${user}/${flow}/`)).map((text) => parseExact(text) as KeptWork).sort((a, b) => b.at - a.at),
});

export function keepInMemory(): Keep {
  const kept = new Map<string, string>();
  return keepIn({
    set: (key, text) => Promise.resolve(kept.set(key, text)).then(() => undefined),
    delete: (key) => Promise.resolve(kept.delete(key)).then(() => undefined),
    startingWith: (start) => Promise.resolve([...kept].filter(([key]) => key.startsWith(start)).map(([, text]) => text)),
  });
}

const STORE = 'work';

const asked = <R>(request: IDBRequest<R>): Promise<R> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  });

function database(): Promise<IDBDatabase> {
  const request = indexedDB.open('signalbox', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return asked(request);
}

export function keepInBrowser(): Keep {
  if (typeof indexedDB === 'undefined') return keepInMemory();
  let opened: Promise<IDBDatabase> | undefined;
  const within = async <R>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<R>): Promise<R> => {
    opened ??= database();
    return asked(work((await opened).transaction(STORE, mode).objectStore(STORE)));
  };
  return keepIn({
    set: async (key, text) => { await within('readwrite', (store) => store.put(text, key)); },
    delete: async (key) => { await within('readwrite', (store) => store.delete(key)); },
    startingWith: (start) => within('readonly', (store) => store.getAll(IDBKeyRange.bound(start, `${start}\uffff`)) as IDBRequest<string[]>),
  });
}

const TAB = 'signalbox.tab';

/**
 * This tab's name, the same after it was loaded again. A tab that was duplicated finds its name in
 * use and takes a new one: two pages must not keep their work in one place.
 */
export async function claimTab(): Promise<string> {
  const known = sessionStorage.getItem(TAB);
  const name = known ?? newKey();
  const isOurs = await hold(name);
  const own = isOurs ? name : newKey();
  if (!isOurs) await hold(own);
  sessionStorage.setItem(TAB, own);
  return own;
}

const held = new Set<string>();
const lockName = (tab: string) => `signalbox.tab.${tab}`;
// Missing where the page came over plain http from another machine.
const locks = (): LockManager | undefined => (navigator as Partial<Navigator>).locks;

function hold(tab: string): Promise<boolean> {
  const manager = locks();
  if (!manager || held.has(tab)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void manager.request(lockName(tab), { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      if (lock === null) return undefined;
      held.add(tab);
      // Held for as long as the page lives.
      return new Promise(() => undefined);
    });
  });
}

/** Whether another open page keeps its work under this name. */
export async function isOpenElsewhere(tab: string): Promise<boolean> {
  const found = await locks()?.query();
  return found?.held?.some((lock) => lock.name === lockName(tab)) === true && !held.has(tab);
}

const LONGEST_HISTORY = 2_000_000;
const historyKey = (user: string, flow: string) => `signalbox.history.${user}.${flow}`;

/** Undo of this tab, for when it is loaded again. The oldest levels go first where there is no room. */
export function keepHistory(user: string, flow: string, past: HistoryEntry[], future: HistoryEntry[]): void {
  for (let levels = past.length; ; levels = Math.floor(levels / 2)) {
    const text = stringifyExact(withoutCredentials({ past: past.slice(past.length - levels), future }));
    try {
      if (text.length <= LONGEST_HISTORY) return sessionStorage.setItem(historyKey(user, flow), text);
    } catch {
      // No room left in the browser: fewer levels are tried.
    }
    if (levels === 0) return sessionStorage.removeItem(historyKey(user, flow));
  }
}

export function recallHistory(user: string, flow: string): { past: HistoryEntry[]; future: HistoryEntry[] } {
  const text = sessionStorage.getItem(historyKey(user, flow));
  try {
    const found = text === null ? null : (parseExact(text) as { past: HistoryEntry[]; future: HistoryEntry[] });
    return { past: found?.past ?? [], future: found?.future ?? [] };
  } catch {
    // Cut off or written by something else: there is nothing to undo, and the editor opens all the same.
    sessionStorage.removeItem(historyKey(user, flow));
    return { past: [], future: [] };
  }
}
