import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { StepIcon } from '~/features/canvas/StepIcon';
import { triggerSummary } from '~/features/canvas/summary';
import { RelativeTime } from '~/ui/RelativeTime';
import { Values } from '~/ui/Values';
import { StartedBy } from './RunList';
import classes from './SidePanel.module.css';

const PARTS: [part: string, label: MessageId][] = [
  ['body', 'runs.trigger.body'],
  ['input', 'runs.trigger.body'],
  ['event', 'runs.trigger.event'],
  ['query', 'runs.trigger.query'],
  ['headers', 'runs.trigger.headers'],
];

const isFilled = (value: unknown) =>
  value !== undefined && value !== null && !(typeof value === 'object' && Object.keys(value).length === 0);

/** What started the run. Parts that the person may not see do not arrive here. */
export function TriggerDetails({ run, document }: { run: Run; document: FlowDocument }) {
  const t = useT();
  const type = useLookup().trigger(document.trigger.type);
  const came = PARTS.filter(([part]) => isFilled(run.trigger_data?.[part]));
  return (
    <div className={classes.stack}>
      <div className={classes.head}>
        <StepIcon icon={type?.icon} tint="signal" />
        <div>
          <h2 className={classes.title}>{type?.title ?? document.trigger.type}</h2>
          <p className={classes.kind}>{triggerSummary(document.trigger, type, t)}</p>
        </div>
      </div>
      <dl className={classes.facts}>
        <dt>{t('runs.column.by')}</dt>
        <dd><StartedBy run={run} /></dd>
        <dt>{t('runs.step.started')}</dt>
        <dd><RelativeTime at={run.started_at ?? run.created_at} /></dd>
      </dl>
      {came.length > 0 ? (
        came.map(([part, label]) => <Values key={part} label={t(label)} value={run.trigger_data?.[part]} />)
      ) : (
        <p className={classes.none}>{t('runs.trigger.hidden')}</p>
      )}
    </div>
  );
}
