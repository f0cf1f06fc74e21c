import { useEffect, useState } from 'react';
import { onSaid, sayLive, useLive } from '~/api/live';
import { useView } from './view';

/** Somebody else's page, or another one of one's own, that shows this flow. */
export interface Present {
  id: string;
  user: string;
  name: string;
  selected: string[];
  at: number;
}

const REPEAT_MS = 15_000;
/** Who says nothing for three rounds is gone: a page that crashed says no goodbye. */
const GONE_MS = 50_000;
const SETTLE_MS = 250;

/** Who else is here and what they have selected; says the same of this page. Empty while the live channel is away. */
export function usePresence(flow: string): Present[] {
  const [present, setPresent] = useState<Present[]>([]);
  const open = useLive((live) => live.status === 'open');
  const selected = useView((view) => view.selected);
  useEffect(() => {
    const stop = onSaid(({ type, flow: where, who, selected: chosen = [] }) => {
      if (where !== flow) return;
      setPresent((before) => {
        const others = before.filter(({ id }) => id !== who.id);
        return type === 'gone' ? others : [...others, { ...who, selected: chosen, at: Date.now() }].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
      });
    });
    const sweep = setInterval(() => setPresent((before) => (before.some(({ at }) => Date.now() - at > GONE_MS) ? before.filter(({ at }) => Date.now() - at <= GONE_MS) : before)), REPEAT_MS);
    return () => {
      stop();
      clearInterval(sweep);
      sayLive({ type: 'gone' });
      setPresent([]);
    };
  }, [flow]);
  useEffect(() => {
    if (!open) return undefined;
    const tell = () => sayLive({ type: 'here', flow, selected: selected.slice(0, 50) });
    const first = setTimeout(tell, SETTLE_MS);
    const again = setInterval(tell, REPEAT_MS);
    return () => {
      clearTimeout(first);
      clearInterval(again);
    };
  }, [flow, open, selected]);
  return open ? present : [];
}
