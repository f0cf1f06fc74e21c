import { useSyncExternalStore } from 'react';

/** Keys of one letter can be switched off, for people whose voice or hand presses them unmeant. */
const NAME = 'signalbox.letters';
const listeners = new Set<() => void>();

export const lettersAreOn = (): boolean => window.localStorage.getItem(NAME) !== 'off';

export function setLetters(on: boolean): void {
  window.localStorage.setItem(NAME, on ? 'on' : 'off');
  listeners.forEach((tell) => tell());
}

export const useLetters = (): boolean =>
  useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    lettersAreOn,
  );
