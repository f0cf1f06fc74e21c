import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sampleFlow } from './document/fixtures';
import { startChecking, useFindings } from './findings';
import type { Checking } from './findings';
import { useEditor } from './store';

const finding = { code: 'no_name', severity: 'warning', step: null, path: '/name', message: 'The flow has no name.', fix: 'Give it one.' };
let asked: { document: { name: string } }[] = [];
let answer: () => Promise<Response>;
let checking: Checking;

const answered = (findings: unknown[]) => () => Promise.resolve(new Response(JSON.stringify({ findings }), { headers: { 'Content-Type': 'application/json' } }));
const rename = (name: string) => useEditor.getState().apply('x', (doc) => { doc.name = name; });

beforeEach(async () => {
  vi.useFakeTimers();
  asked = [];
  answer = answered([finding]);
  vi.stubGlobal('fetch', vi.fn((_url: string, init: { body: string }) => { asked.push(JSON.parse(init.body) as (typeof asked)[number]); return answer(); }));
  useEditor.getState().open('f', sampleFlow(), false);
  checking = startChecking('f');
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  checking.stop();
  vi.useRealTimers();
});

describe('findings while one types', () => {
  it('are asked for at once after a pause, and while somebody types on a tenth of a second after the last sign', async () => {
    expect(asked).toHaveLength(1);
    rename('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.map((one) => one.document.name).slice(1)).toEqual(['a']);
    for (const name of ['ab', 'abc']) {
      await vi.advanceTimersByTimeAsync(60);
      rename(name);
    }
    await vi.advanceTimersByTimeAsync(99);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map((one) => one.document.name).slice(1)).toEqual(['a', 'abc']);
    expect(useFindings.getState()).toMatchObject({ status: 'current', findings: [{ code: 'no_name' }] });

    await vi.advanceTimersByTimeAsync(400);
    rename('abcd');
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.at(-1)?.document.name).toBe('abcd');
  });

  it('are not asked for when a card is only moved', async () => {
    useEditor.getState().apply('x', (doc) => { doc.layout = { ...doc.layout, size: [5, 5] }; });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(1);
  });

  it('are asked for again where the server could not be reached', async () => {
    answer = () => Promise.reject(new TypeError('offline'));
    rename('a');
    await vi.advanceTimersByTimeAsync(200);
    expect(useFindings.getState().status).toBe('failed');
    answer = answered([]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(useFindings.getState()).toMatchObject({ status: 'current', findings: [] });
  });
});
