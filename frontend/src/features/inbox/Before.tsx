import { Link } from '@tanstack/react-router';
import type { TaskBefore } from '~/api/types';
import { useT } from '~/app/messages';
import { RelativeTime } from '~/ui/RelativeTime';
import { FactValue } from './FactValue';
import classes from './TaskPane.module.css';

const COMPARED = { less: 'inbox.before.less', same: 'inbox.before.same', more: 'inbox.before.more' } as const;

/** What the same step asked before, and how people decided: newest first, and how much it was beside this. */
export function Before({ before }: { before: TaskBefore[] }) {
  const t = useT();
  if (before.length === 0) return null;
  return (
    <section>
      <h3 className={classes.heading}>{t('inbox.before')}</h3>
      <ul className={classes.thens}>
        {before.map((one) => (
          <li key={one.id}>
            <Link to="/inbox/" search={{ view: 'done', task: one.id }}>{one.title}</Link>{' '}
            <span className={classes.none}>
              {one.by ? t('inbox.decided_by', { outcome: one.word, name: one.by }) : one.word} <RelativeTime at={one.at} />
              {one.compared ? <> {t(COMPARED[one.compared])} (<FactValue value={one.amount} />)</> : null}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
