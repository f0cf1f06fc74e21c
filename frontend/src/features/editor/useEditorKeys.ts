import { useCallback, useEffect } from 'react';
import type { KeyboardEvent } from 'react';
import { useActions } from './actions';
import { notesOf } from './document/notes';
import { lettersAreOn } from './shortcuts';
import { useEditor } from './store';
import { say, select, useView } from './view';

/** Below the header, in the middle of the page. */
const middle = () => ({ x: window.innerWidth / 2 - 160, y: 96 });

const isField = (element: EventTarget | null): boolean =>
  element instanceof HTMLElement && (element.closest('input, textarea, select, [contenteditable="true"]') !== null);

/** Fields that hold a part of the document, not a search or a note. */
const isOfDocument = (element: EventTarget | null): boolean =>
  element instanceof HTMLElement && element.closest('[data-field], [data-of-document]') !== null && element.closest('[data-own-undo]') === null;

/**
 * Keys of the whole editor. Undo is the document's also in the fields of its forms: what is typed
 * there is an edit like any other, and two histories would contradict each other.
 */
export function useEditorKeys(): (event: KeyboardEvent) => void {
  const actions = useActions();

  useEffect(() => {
    const clip = (event: ClipboardEvent) => {
      if (isField(event.target) || document.querySelector('[role="dialog"]')) return;
      if (event.type === 'paste') {
        const text = event.clipboardData?.getData('text/plain') ?? '';
        if (text.trim() === '' || useEditor.getState().readOnly) return;
        actions.pasteText(text);
      } else {
        if (window.getSelection()?.toString()) return;
        const text = actions.copyText(useView.getState().selected);
        if (text === null) return;
        event.clipboardData?.setData('text/plain', text);
        if (event.type === 'cut') actions.remove(useView.getState().selected);
        else say(actions.copied(useView.getState().selected.length));
      }
      event.preventDefault();
    };
    const names = ['copy', 'cut', 'paste'] as const;
    names.forEach((name) => document.addEventListener(name, clip));
    return () => names.forEach((name) => document.removeEventListener(name, clip));
  }, [actions]);

  return useCallback(
    (event: KeyboardEvent) => {
      const key = event.key.toLowerCase();
      if (isField(event.target) && !isOfDocument(event.target)) return;
      if ((event.ctrlKey || event.metaKey) && !event.altKey) {
        if (key === 'z') {
          if (event.shiftKey) actions.redo();
          else actions.undo();
        } else if (key === 'y') actions.redo();
        else if (key === 'd' && !isField(event.target)) actions.duplicate(useView.getState().selected);
        else if (key === 'a' && !isField(event.target)) select([...Object.keys(useEditor.getState().document.steps), ...Object.keys(notesOf(useEditor.getState().document))]);
        else if (key === 'g' && !isField(event.target) && useView.getState().selected.length > 0) useView.setState({ asking: { kind: 'group', ids: useView.getState().selected, ...middle() } });
        else return;
        event.preventDefault();
        return;
      }
      if (key === '?' && !isField(event.target) && lettersAreOn()) {
        event.preventDefault();
        useView.setState({ help: true });
      }
    },
    [actions],
  );
}
