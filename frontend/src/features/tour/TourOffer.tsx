import { Button } from '@mantine/core';
import { useT } from '~/app/messages';
import { useTour } from './store';
import classes from './Tour.module.css';

/** Offered once, above the list of flows; the person's menu has it at any time. */
export function TourOffer() {
  const t = useT();
  const { stage, start, end } = useTour();
  if (stage !== 'new') return null;
  return (
    <section className={classes.offer} aria-label={t('tour.label')}>
      <p className={classes.words}><strong>{t('tour.offer')}</strong> <span>{t('tour.offer.text')}</span></p>
      <div className={classes.actions}>
        <Button size="xs" variant="filled" onClick={start}>{t('tour.start')}</Button>
        <Button size="xs" onClick={end}>{t('tour.later')}</Button>
      </div>
    </section>
  );
}
