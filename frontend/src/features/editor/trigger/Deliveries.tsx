import { Link } from '@tanstack/react-router';
import { useT } from '~/app/messages';
import { RelativeTime } from '~/ui/RelativeTime';
import { useDeliveries } from '../api';
import classes from '../SidePanel.module.css';

/** What arrived last, whether it was taken, and why not. */
export function Deliveries({ flowId }: { flowId: string }) {
  const t = useT();
  const { data, isError } = useDeliveries(flowId);
  if (isError || !data) return null;
  return (
    <>
      <h3 className={classes.section}>{t('editor.deliveries')}</h3>
      {data.results.length === 0 ? <p className={classes.note}>{t('editor.deliveries.none')}</p> : null}
      <ul className={classes.deliveries}>
        {data.results.map((one) => {
          const accepted = one.run !== null;
          return (
            <li key={one.id}>
              <strong data-verdict={accepted ? 'accepted' : 'refused'}>{one.verdict.replaceAll('_', ' ')}</strong>
              <RelativeTime at={one.received_at} />
              {one.run ? <Link to="/runs/$runId/" params={{ runId: one.run }}>{t('editor.deliveries.run')}</Link> : <span />}
              {one.reason ? <span className={classes.reason}>{one.reason}</span> : null}
            </li>
          );
        })}
      </ul>
    </>
  );
}
