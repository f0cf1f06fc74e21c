import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Offline, Problem } from '~/api/problem';
import type { FlowDocument } from '~/api/types';
import { startAutosave, useSave } from './autosave';
import type { Autosave } from './autosave';
import { setTitle } from './document/document';
import { sampleFlow } from './document/fixtures';
import { useEditor } from './store';

let autosave: Autosave;
let save: ReturnType<typeof vi.fn<(id: string, doc: FlowDocument, revision: number) => Promise<number>>>;
const rename = (title: string) => useEditor.getState().apply('Rename', setTitle('end', title));
const status = () => useSave.getState().status;

beforeEach(() => {
  vi.useFakeTimers();
  useEditor.getState().open('f', sampleFlow(), false);
  save = vi.fn((_id: string, _doc: FlowDocument, revision: number) => Promise.resolve(revision + 1));
  autosave = startAutosave({ flowId: 'f', revision: 7, save });
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

  it('stops after a conflict and overwrites nothing', async () => {
    save.mockRejectedValueOnce(new Problem(412, { detail: 'Ana saved.' }));
    rename('A');
    await vi.advanceTimersByTimeAsync(800);
    expect(useSave.getState()).toMatchObject({ status: 'conflict', problem: { message: 'Ana saved.' } });
    rename('B');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(save).toHaveBeenCalledTimes(1);
    expect(await autosave.flush()).toBe(false);
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
