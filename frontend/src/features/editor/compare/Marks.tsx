import { ViewportPortal } from '@xyflow/react';
import { useMemo } from 'react';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import type { FlowDocument } from '~/api/types';
import { useLookup } from '~/features/canvas/catalogue';
import { boxOf } from '~/features/canvas/frames';
import { pictureOf } from '~/features/canvas/graph';
import { IconCornerDownRight, IconPencil, IconPlus, IconX } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import type { Comparison } from './api';
import classes from './Compare.module.css';
import { linkMarks, marksOf } from './picture';
import type { Became } from './picture';

const LOOK: Record<Became, { icon: Icon; word: MessageId }> = {
  added: { icon: IconPlus, word: 'versions.added' },
  removed: { icon: IconX, word: 'versions.removed' },
  changed: { icon: IconPencil, word: 'versions.changed' },
  moved: { icon: IconCornerDownRight, word: 'versions.moved' },
};

/** Over the flow: what came, went, changed or moved, by a frame of its own kind, a sign and a word. */
export function Marks({ document, comparison }: { document: FlowDocument; comparison: Comparison }) {
  const t = useT();
  const types = useLookup();
  const picture = useMemo(() => pictureOf(document, types), [document, types]);
  const box = (id: string) => boxOf(document, id, types, picture.at, picture.frames);
  return (
    <ViewportPortal>
      {Object.entries(marksOf(comparison)).map(([id, became]) => {
        const { x, y, width, height } = box(id);
        const { icon: Glyph, word } = LOOK[became];
        return (
          <div key={id} className={classes.mark} data-became={became} style={{ transform: `translate(${x - 6}px, ${y - 6}px)`, width: width + 12, height: height + 12 }}>
            <span className={classes.label}><Glyph size={16} aria-hidden />{t(word)}</span>
          </div>
        );
      })}
      {linkMarks(comparison).map(({ from, to, became }) => {
        const [start, end] = [box(from), box(to)];
        const [x, y] = [(start.x + start.width + end.x) / 2, (start.y + start.height / 2 + end.y + end.height / 2) / 2];
        const Glyph = LOOK[became].icon;
        return <span key={`${from} ${to} ${became}`} className={classes.link} data-became={became} style={{ transform: `translate(${x}px, ${y}px)` }} role="img" aria-label={t(LOOK[became].word)}><Glyph size={16} aria-hidden /></span>;
      })}
    </ViewportPortal>
  );
}
