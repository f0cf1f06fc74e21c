import { Tooltip } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconClock } from '~/ui/icons';
import { useIntlTools, useNow } from '~/ui/time';
import classes from './InboxPage.module.css';

const PRESSING_MS = 4 * 3_600_000;

/** How long is left to decide; says so when it presses. `plain`: beside a label that says what it is. */
export function TimeLeft({ due, plain }: { due: string | null; plain?: boolean }) {
  const t = useT();
  const now = useNow(15_000);
  const { words, exact } = useIntlTools();
  if (!due) return <span>{t('inbox.no_due')}</span>;
  const left = Date.parse(due) - now;
  return (
    <Tooltip label={t('inbox.until', { time: exact(due) })}>
      <time dateTime={due} className={classes.due} data-pressing={(left > 0 && left < PRESSING_MS) || undefined} data-over={left <= 0 || undefined}>
        <IconClock size={14} aria-hidden />
        {left <= 0 ? t('inbox.overdue') : plain ? words(Math.max(left, 60_000)) : t('inbox.due_in', { time: words(Math.max(left, 60_000)) })}
      </time>
    </Tooltip>
  );
}
