import { useEffect, useRef } from 'react';
import type { TaskAnswer } from '~/api/types';
import { lettersAreOn } from '~/features/editor/shortcuts';

/** Keys of the list, which no answer gets. */
const TAKEN = 'jkx';

/** A letter for each answer: the first of its name, in the reader's language, that is free. */
export function lettersOf(answers: Pick<TaskAnswer, 'outcome' | 'label'>[]): Record<string, string> {
  const found: Record<string, string> = {};
  const used = new Set(TAKEN);
  for (const { outcome, label } of answers) {
    const letter = [...label.toLowerCase()].find((one) => /^[a-z]$/.test(one) && !used.has(one));
    if (!letter) continue;
    used.add(letter);
    found[outcome] = letter;
  }
  return found;
}

const isTyped = (event: KeyboardEvent): boolean =>
  event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing ||
  (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable="true"]') !== null) ||
  // What is open before the page has keys of its own.
  document.querySelector('[role="dialog"], [role="menu"]') !== null;

/** Keys of one letter on the whole page, unless somebody types or has switched them off. */
export function useLetterKeys(act: (key: string) => boolean): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyped(event) || event.repeat || !lettersAreOn()) return;
      if (latest.current(event.key.toLowerCase())) event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
