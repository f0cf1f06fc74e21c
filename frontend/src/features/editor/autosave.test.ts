import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Offline, Problem } from '~/api/problem';
import type { FlowDocument } from '~/api/types';
import { startAutosave, useSave } from './autosave';
import type { Autosave, Loaded } from './autosave';
import { setTitle } from './document/document';
import { sampleFlow } from './document/fixtures';
import { keepInMemory, recallHistory, keepHistory, withoutCredentials } from './merge/keep';
import type { Keep } from './merge/keep';
import { useEditor } from './store';

let autosave: Autosave;
let keep: Keep;
let load: ReturnType<typeof vi.fn<(id: string) => Promise<Loaded>>>;
let whoami: ReturnType<typeof vi.fn<() => Promise<string | null>>>;
const start = (more: Partial<Parameters<typeof startAutosave>[0]> = {}) =>
  startAutosave({ flowId: 'f', revision: 7, document: sampleFlow(), save, load, whoami, user: 'me', tab: 'one', keep, ...more });
const stale = () => new Problem(412, { detail: 'Ana saved.', updated_by: { id: 'ana', name: 'Ana' } });
const saved = (edit: (doc: FlowDocument) => void): Loaded => {
  const document = sampleFlow();
  edit(document);
  return { document, revision: 9 };
};
let save: ReturnType<typeof vi.fn<(id: string, doc: FlowDocument, revision: number) => Promise<number>>>;
const rename = (title: string) => useEditor.getState().apply('Rename', setTitle('end', title));
const status = () => useSave.getState().status;

beforeEach(() => {
  vi.useFakeTimers();
  useEditor.getState().open('f', sampleFlow(), false);
  save = vi.fn((_id: string, _doc: FlowDocument, revision: number) => Promise.resolve(revision + 1));
  keep = keepInMemory();
  load = vi.fn(() => Promise.reject(new Offline()));
  whoami = vi.fn(() => Promise.resolve<string | null>('me'));
  autosave = start();
});
afterEach(() => {
  autosave.stop();
  vi.useRealTimers();
});

describe('autosave', () => {
  it('sends the document that is shown once it rests, based on the last revision', async () => {
    rename('A');
    rename('B');
    expect(status()).toBe('unsaved');
    await vi.advanceTimersByTimeAsync(800);
    expect(save).toHaveBeenCalledExactlyOnceWith('f', useEditor.getState().document, 7);
    expect(useSave.getState()).toMatchObject({ status: 'saved', revision: 8 });
    rename('C');
    await vi.advanceTimersByTimeAsync(800);
    expect(save.mock.calls[1]?.[2]).toBe(8);
  });

  it('sends what changed while it was saving afterwards, never at the same time', async () => {
    let answer: (revision: number) => void = () => undefined;
    save.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    rename('A');
    await vi.advanceTimersByTimeAsync(800);
    rename('B');
    await vi.advanceTimersByTimeAsync(5000);
    expect(save).toHaveBeenCalledTimes(1);
    answer(8);
    await vi.advanceTimersByTimeAsync(1000);
    expect(save.mock.calls[1]?.[1].steps['end']?.title).toBe('B');
    expect(status()).toBe('saved');
  });

  it('brings in what somebody saved elsewhere in the flow, and saves both', async () => {
    save.mockRejectedValueOnce(stale());
    load.mockResolvedValueOnce(saved(setTitle('size', 'Big?')));
    rename('A');
    await vi.advanceTimersByTimeAsync(2000);
    expect(useEditor.getState().document.steps).toMatchObject({ end: { title: 'A' }, size: { title: 'Big?' } });
    expect(save.mock.calls[1]?.[2]).toBe(9);
    expect(useSave.getState()).toMatchObject({ status: 'saved', revision: 10, incoming: { who: 'Ana', count: 1, from: 7, to: 9 } });
  });

  it('asks about what both changed, and sends nothing until it is decided', async () => {
    save.mockRejectedValueOnce(stale());
    load.mockResolvedValueOnce(saved(setTitle('end', 'Theirs')));
    rename('Mine');
    await vi.advanceTimersByTimeAsync(800);
    expect(useSave.getState()).toMatchObject({ status: 'conflict', merging: { who: 'Ana', found: { conflicts: [{ id: '/steps/end/title' }] } } });
    expect(useEditor.getState().document.steps['end']?.title).toBe('Mine');
    useEditor.getState().apply('Rename', setTitle('size', 'Large'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(save).toHaveBeenCalledTimes(1);
    expect(await autosave.flush()).toBe(false);
    const decide = useSave.getState().merging!.decide;
    expect(decide({})).toBe(false);
    expect(decide({ '/steps/end/title': 'theirs' })).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect(save.mock.calls[1]?.[1].steps).toMatchObject({ end: { title: 'Theirs' }, size: { title: 'Large' } });
    expect(status()).toBe('saved');
  });

  it('shows what somebody saved while nothing was unsaved here; undo takes back only one\'s own', async () => {
    rename('A');
    await vi.advanceTimersByTimeAsync(800);
    load.mockResolvedValueOnce({ ...saved((doc) => { setTitle('end', 'A')(doc); setTitle('size', 'Big?')(doc); }), revision: 9 });
    await autosave.pull();
    expect(useEditor.getState().document.steps['size']?.title).toBe('Big?');
    expect(useSave.getState()).toMatchObject({ status: 'saved', revision: 9 });
    useEditor.getState().undo();
    expect(useEditor.getState().document.steps).toMatchObject({ end: { title: 'End' }, size: { title: 'Big?' } });
  });

  it('keeps what is not saved in the browser, without written-out credentials, and lets go of it once saved', async () => {
    save.mockRejectedValueOnce(new Offline());
    useEditor.getState().apply('Key', (doc) => { doc.steps['call']!.config['headers'] = { Authorization: 'Bearer abc', Other: 'x' }; });
    await vi.advanceTimersByTimeAsync(900);
    const [kept] = await keep.of('me', 'f');
    expect(kept?.mine.steps['call']?.config['headers']).toEqual({ Authorization: '', Other: 'x' });
    expect(kept?.revision).toBe(7);
    expect(await keep.of('somebody', 'f')).toEqual([]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(status()).toBe('saved');
    expect(await keep.of('me', 'f')).toEqual([]);
  });

  it('brings in the work of before with what the server has by now', async () => {
    autosave.stop();
    const document = sampleFlow();
    const mine = sampleFlow();
    setTitle('end', 'Kept')(mine);
    useEditor.getState().open('f', mine, false);
    load.mockResolvedValue(saved(setTitle('size', 'Big?')));
    autosave = start({ document, behind: true });
    await vi.advanceTimersByTimeAsync(1000);
    expect(save.mock.calls.at(-1)?.[1].steps).toMatchObject({ end: { title: 'Kept' }, size: { title: 'Big?' } });
    expect(status()).toBe('saved');
  });

  it('loses nothing in five minutes without a server', async () => {
    save.mockRejectedValue(new Offline());
    for (let at = 0; at < 10; at += 1) {
      rename(`T${at}`);
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(status()).toBe('offline');
    expect((await keep.of('me', 'f'))[0]?.mine.steps['end']?.title).toBe('T9');
    save.mockImplementation((_id, _doc, revision) => Promise.resolve(revision + 1));
    await vi.advanceTimersByTimeAsync(31_000);
    expect(save.mock.calls.at(-1)?.[1].steps['end']?.title).toBe('T9');
    expect(status()).toBe('saved');
  });

  it('waits for the same person to sign in again, and saves under nobody else\'s name', async () => {
    save.mockRejectedValueOnce(new Problem(401, {}));
    whoami.mockResolvedValueOnce(null).mockResolvedValueOnce('another');
    rename('A');
    await vi.advanceTimersByTimeAsync(800);
    expect(status()).toBe('signed_out');
    await vi.advanceTimersByTimeAsync(2000);
    expect(status()).toBe('signed_out');
    await vi.advanceTimersByTimeAsync(4000);
    expect(status()).toBe('other_person');
    expect(save).toHaveBeenCalledTimes(1);
    autosave.wake();
    await vi.advanceTimersByTimeAsync(100);
    expect(status()).toBe('saved');
  });

  it('keeps trying while the server is away and says so', async () => {
    save.mockRejectedValueOnce(new Offline()).mockRejectedValueOnce(new Problem(503, {}));
    rename('A');
    await vi.advanceTimersByTimeAsync(800);
    expect(status()).toBe('offline');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(save).toHaveBeenCalledTimes(3);
    expect(status()).toBe('saved');
  });

  it('says what the server refused and tries again with the next change', async () => {
    save.mockRejectedValueOnce(new Problem(422, { detail: 'A step id is too long.' }));
    rename('A');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(useSave.getState()).toMatchObject({ status: 'refused', problem: { message: 'A step id is too long.' } });
    expect(save).toHaveBeenCalledTimes(1);
    rename('B');
    await vi.advanceTimersByTimeAsync(800);
    expect(status()).toBe('saved');
  });

  it('saves undo too, and at once when asked to', async () => {
    rename('A');
    expect(await autosave.flush()).toBe(true);
    useEditor.getState().undo();
    expect(status()).toBe('unsaved');
    expect(await autosave.flush()).toBe(true);
    expect(save.mock.calls[1]?.[1].steps['end']?.title).toBe('End');
  });
});

describe('what stays in the browser', () => {
  it('is undo too, the newest levels where there is no room for all', () => {
    for (let at = 0; at < 130; at += 1) rename(`T${at}`);
    const { past, future } = useEditor.getState();
    keepHistory('me', 'f', past, future);
    const found = recallHistory('me', 'f');
    expect(found.past).toHaveLength(130);
    expect(recallHistory('me', 'other').past).toEqual([]);
    sessionStorage.setItem('signalbox.history.me.cut', '{"past": [');
    expect(recallHistory('me', 'cut')).toEqual({ past: [], future: [] });
    const { document } = useEditor.getState();
    useEditor.getState().open('f', document, false);
    useEditor.getState().recall(found.past, found.future);
    for (let at = 0; at < 130; at += 1) useEditor.getState().undo();
    expect(useEditor.getState().document).toEqual(sampleFlow());
    keepHistory('me', 'f', past.map((entry) => ({ ...entry, label: 'x'.repeat(60_000) })), []);
    const some = recallHistory('me', 'f').past;
    expect(some.length).toBeGreaterThan(10);
    expect(some.at(-1)?.parts).toEqual(past.at(-1)?.parts);
    sessionStorage.clear();
  });

  it('is nothing that somebody wrote out as a credential', () => {
    expect(withoutCredentials({ headers: { 'X-Api-Key': 'abc', Cookie: '= trigger.body.c', plain: 'x' }, signature: { secret: 'name' } })).toEqual({
      headers: { 'X-Api-Key': '', Cookie: '= trigger.body.c', plain: 'x' },
      signature: { secret: 'name' },
    });
  });
});
