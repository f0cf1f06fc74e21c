import { useBlocker } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useT } from '~/app/messages';
import { isUnsaved } from './autosave';
import type { Autosave } from './autosave';

/**
 * Leaving waits for what is not saved yet. Only where it cannot be saved is the person asked; closing
 * the tab asks in the browser's own words.
 */
export function useLeaveGuard(autosave: Autosave): void {
  const t = useT();
  useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (current.pathname === next.pathname || !isUnsaved()) return false;
      if (await autosave.flush()) return false;
      return !window.confirm(t('editor.leave'));
    },
    enableBeforeUnload: isUnsaved,
  });
  useEffect(() => {
    const hide = () => {
      if (document.visibilityState === 'hidden') void autosave.flush();
    };
    document.addEventListener('visibilitychange', hide);
    return () => document.removeEventListener('visibilitychange', hide);
  }, [autosave]);
}
