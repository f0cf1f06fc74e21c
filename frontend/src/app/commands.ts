import { useEffect } from 'react';
import type { Icon } from '~/ui/icons';

/** Something that Ctrl-K offers beside pages, flows and runs. */
export interface Command {
  id: string;
  label: string;
  detail?: string;
  icon: Icon;
  /** What to search for next instead of closing: the list stays open with it. */
  ask?: string;
  act?: () => void;
}

export interface CommandGroup {
  group: string;
  commands: Command[];
}

type Source = (term: string) => CommandGroup[];

let source: Source | null = null;

/** What the page that is open offers for what was typed; its groups come first. */
export const commandsFor: Source = (term) => source?.(term) ?? [];

/** While the component is shown, Ctrl-K also offers what `next` finds. */
export function useCommands(next: Source): void {
  useEffect(() => {
    source = next;
    return () => {
      if (source === next) source = null;
    };
  }, [next]);
}
