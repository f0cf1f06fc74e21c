import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import { RelativeTime } from '~/ui/RelativeTime';
import { FactValue } from './FactValue';
import classes from './TaskPane.module.css';

/** It was sent back and is here again: why, and what is different now. */
export function Returned({ task }: { task: Task }) {
  const t = useT();
  const back = task.returned;
  if (!back) return null;
  return (
    <section>
      <h3 className={classes.heading}>{t('inbox.returned')}</h3>
      <p className={classes.plain}>{t('inbox.returned.by', { name: back.by, reason: back.reason })} <RelativeTime at={back.at} /></p>
      {back.changes.length > 0 ? (
        <>
          <p className={classes.none}>{t('inbox.returned.changes')}</p>
          <dl className={classes.facts}>
            {back.changes.map((one) => (
              <div key={one.label}>
                <dt>{one.label}</dt>
                <dd>
                  {t('inbox.returned.before')}: {'before' in one ? <FactValue value={one.before} /> : t('inbox.returned.absent')}
                  <br />
                  {t('inbox.returned.after')}: {'after' in one ? <FactValue value={one.after} /> : t('inbox.returned.absent')}
                </dd>
              </div>
            ))}
          </dl>
        </>
      ) : (
        <p className={classes.none}>{t('inbox.returned.none')}</p>
      )}
    </section>
  );
}
