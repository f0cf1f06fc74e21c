import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Flow } from '~/api/types';
import { Foundations } from '~/app/App';
import type { Autosave } from '../autosave';
import { catalogue, sampleFlow } from '../document/fixtures';
import { useEditor } from '../store';
import { PublishPanel } from './PublishPanel';

const FLOW = { id: 'f', state: 'active', rights: ['view', 'edit', 'publish'], active_version: null } as unknown as Flow;
const SAME = { before: { what: 'empty', number: null }, after: { what: 'draft' }, same: false, groups: [], notes: [], authors: [], moved: [] };
const ME = { id: 'u', email: 'ada@demo.local', name: 'Ada', workspace: { slug: 'demo' }, workspaces: [], roles: ['builder'], rights: [] };
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
let sent: { path: string; body: Record<string, unknown> }[] = [];

beforeEach(() => {
  sent = [];
  vi.stubGlobal('fetch', vi.fn((url: string, init?: RequestInit) => {
    const path = new URL(url, 'http://x').pathname;
    if (init?.method === 'POST') sent.push({ path, body: JSON.parse(init.body as string) as Record<string, unknown> });
    return Promise.resolve(path.endsWith('/compare/') ? json(SAME) : path.endsWith('/publish/') ? json({ number: 1, hash: 'x' }, 201) : path.endsWith('/me/') ? json(ME) : json({ results: [] }));
  }));
  useEditor.getState().open('f', sampleFlow(), false);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['step-types'], catalogue);
  client.setQueryData(['me'], ME);
  render(
    <QueryClientProvider client={client}>
      <Foundations><PublishPanel flow={FLOW} autosave={{ flush: () => Promise.resolve(true) } as unknown as Autosave} /></Foundations>
    </QueryClientProvider>,
  );
});

describe('publishing', () => {
  it('asks why, and publishes nothing without a word about it', async () => {
    const publish = screen.getByRole('button', { name: 'Publish' });
    fireEvent.click(publish);
    expect(await screen.findByText('Say in a sentence what is new, and why.')).toBeDefined();
    const why = screen.getByRole('textbox', { name: /What is new, and why/ });
    expect(document.activeElement).toBe(why);
    fireEvent.change(why, { target: { value: '   ' } });
    fireEvent.keyDown(why, { key: 'Enter', ctrlKey: true });
    expect(await screen.findByText('Say in a sentence what is new, and why.')).toBeDefined();
    expect(sent).toEqual([]);

    fireEvent.change(why, { target: { value: ' Orders above 10,000 are approved. ' } });
    expect(screen.queryByText('Say in a sentence what is new, and why.')).toBeNull();
    fireEvent.click(publish);
    await waitFor(() => expect(sent.find((one) => one.path.endsWith('/publish/'))?.body['note']).toBe('Orders above 10,000 are approved.'));
  });
});
