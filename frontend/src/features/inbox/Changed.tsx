import { Link } from '@tanstack/react-router';
import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import { RelativeTime } from '~/ui/RelativeTime';
import { FactValue } from './FactValue';
import classes from './TaskPane.module.css';

/** What events have changed while people were asked, and what became of the answers given before. */
export function Changed({ task }: { task: Task }) {
  const t = useT();
  const changes = task.changes ?? [];
  if (changes.length === 0) return null;
  return (
    <section>
      <h3 className={classes.heading}>{t('inbox.changed')}</h3>
      {changes.map((one) => (
        <div key={`${one.at} ${one.happened_at}`} className={classes.change}>
          <p className={classes.none}>{t('inbox.changed.by', { event: one.event })} <RelativeTime at={one.at} /></p>
          {one.changes.length > 0 ? (
            <dl className={classes.facts}>
              {one.changes.map((fact) => (
                <div key={fact.label}>
                  <dt dir="auto">{fact.label}</dt>
                  <dd>
                    {t('inbox.returned.before')}: <FactValue value={fact.before} />
                    <br />
                    {t('inbox.returned.after')}: <FactValue value={fact.after} />
                  </dd>
                </div>
              ))}
            </dl>
          ) : null}
          {one.text ? <p className={classes.plain}>{one.answered_before.length > 0 ? `${t('inbox.changed.answered', { names: one.answered_before.join(', ') })} ` : ''}{one.text}</p> : null}
        </div>
      ))}
    </section>
  );
}

/** The way from a task that began anew to what is asked now, for who is asked. */
export function Anew({ task }: { task: Task }) {
  const t = useT();
  return task.anew ? <Link to="/inbox/" search={{ task: task.anew }}>{t('inbox.anew')}</Link> : null;
}
