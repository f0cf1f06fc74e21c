import { parseExact, stringifyExact } from './exact';
import { Offline, Problem } from './problem';

const ROOT = '/api/v1/';

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Options {
  query?: Query;
  body?: unknown;
  /** Revision the change is based on; sent as `If-Match`. */
  ifMatch?: number | string;
  /** Makes a repeated POST harmless; keep one per intent. */
  idempotencyKey?: string;
  /** Read numbers without loss; `written` also keeps how they were written. */
  exact?: 'value' | 'written';
  signal?: AbortSignal;
  /** Goes on when the page is left, where the body is small enough for that. */
  keepalive?: boolean;
}

/** What browsers send for a page that is gone. */
const MOST_KEPT_ALIVE = 60_000;

export interface Answer<T> {
  data: T;
  /** Revision from `ETag`, for the next `ifMatch`. */
  revision: number | null;
}

export interface Page<T> {
  results: T[];
  next: string | null;
  previous: string | null;
}

type Listener = () => void;
const signedOut = new Set<Listener>();

/** Calls `listener` when an answer says that the session has ended. */
export function onSignedOut(listener: Listener): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

export function newKey(): string {
  // `crypto.randomUUID` is missing on plain-http hosts other than localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function csrfToken(): string {
  const cookie = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  return cookie ?? document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? '';
}

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  const base = path.startsWith('/') ? path : ROOT + path;
  return text ? `${base}${base.includes('?') ? '&' : '?'}${text}` : base;
}

function headersFor(method: string, options: Options): Headers {
  const headers = new Headers({ Accept: 'application/json' });
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  if (method !== 'GET') headers.set('X-CSRFToken', csrfToken());
  if (options.ifMatch !== undefined) headers.set('If-Match', `"${options.ifMatch}"`);
  if (options.idempotencyKey) headers.set('Idempotency-Key', options.idempotencyKey);
  return headers;
}

async function failure(response: Response): Promise<Problem> {
  const text = await response.text();
  let body: Record<string, unknown> = {};
  if (response.headers.get('Content-Type')?.includes('json')) {
    body = JSON.parse(text) as Record<string, unknown>;
  }
  return new Problem(response.status, body);
}

async function send<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  const init: RequestInit = {
    method,
    headers: headersFor(method, options),
    credentials: 'same-origin',
    redirect: 'error',
  };
  const body = options.body === undefined ? undefined : stringifyExact(options.body);
  if (body !== undefined) init.body = body;
  if (options.keepalive && (body ?? '').length < MOST_KEPT_ALIVE) init.keepalive = true;
  if (options.signal) init.signal = options.signal;
  let response: Response;
  try {
    response = await fetch(address(path, options.query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Offline();
  }
  if (!response.ok) {
    const problem = await failure(response);
    if (problem.status === 401 || problem.code === 'not_authenticated') signedOut.forEach((tell) => tell());
    throw problem;
  }
  const text = await response.text();
  const read: unknown = options.exact ? parseExact(text || 'null', options.exact) : JSON.parse(text || 'null');
  const tag = /"?(\d+)"?$/.exec(response.headers.get('ETag') ?? '')?.[1];
  return { data: read as T, revision: tag === undefined ? null : Number(tag) };
}

/** The server's API. Paths are relative to `/api/v1/`; a path from the server (`next`) may be absolute. */
export const api = {
  answer: send,
  get: async <T>(path: string, options?: Options) => (await send<T>('GET', path, options)).data,
  post: async <T>(path: string, body?: unknown, options?: Options) =>
    (await send<T>('POST', path, { ...options, body: body ?? {} })).data,
  put: async <T>(path: string, body: unknown, options?: Options) =>
    (await send<T>('PUT', path, { ...options, body })).data,
  patch: async <T>(path: string, body: unknown, options?: Options) =>
    (await send<T>('PATCH', path, { ...options, body })).data,
  delete: async (path: string, options?: Options) => {
    await send<null>('DELETE', path, options);
  },
};

/** Sends a file with the fields that say what it is for. */
export async function upload<T>(path: string, fields: Record<string, string>, file: File): Promise<T> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', file);
  const headers = new Headers({ Accept: 'application/json', 'X-CSRFToken': csrfToken() });
  let response: Response;
  try {
    response = await fetch(address(path), { method: 'POST', headers, body, credentials: 'same-origin', redirect: 'error' });
  } catch {
    throw new Offline();
  }
  if (!response.ok) throw await failure(response);
  return (await response.json()) as T;
}

/** One page of a list; `cursor` is the `next` of the page before. */
export function page<T>(path: string, query: Query, cursor: string | null, options: Options = {}) {
  if (!cursor) return api.get<Page<T>>(path, { ...options, query });
  const url = new URL(cursor, window.location.origin);
  return api.get<Page<T>>(url.pathname + url.search, options);
}
