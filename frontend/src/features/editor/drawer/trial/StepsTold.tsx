import { Select, Switch, UnstyledButton } from '@mantine/core';
import type { StepTold } from '~/api/testing';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { StepIcon } from '~/features/canvas/StepIcon';
import { Values } from '~/ui/Values';
import { useTrial } from '../../trial';
import { onStage, select } from '../../view';
import { AnswerOutput } from './AnswerOutput';
import classes from './Trial.module.css';

const DOES: Record<StepTold['does'], MessageId> = {
  runs: 'testing.does.runs', sends: 'testing.does.sends', answered: 'testing.does.answered', asked: 'testing.does.asked', waits: 'testing.does.waits',
};

interface Props {
  steps: StepTold[];
  /** What can be chosen before a test: how steps are answered, and also whether they send. Nothing of one that is over. */
  choosing?: 'answer' | 'send';
}

/** The steps of a test in order, what becomes of each, and what it would send. */
export function StepsTold({ steps, choosing }: Props) {
  return (
    <ol className={classes.steps}>
      {steps.map((one) => <Told key={one.id} step={one} choosing={choosing} />)}
    </ol>
  );
}

function Told({ step, choosing }: { step: StepTold; choosing: Props['choosing'] }) {
  const t = useT();
  const type = useLookup().step(step.type, 1);
  const show = () => {
    select([step.id]);
    onStage()?.reveal(step.id);
  };
  const details = step.given.length > 0 || (!choosing && step.output !== null);
  return (
    <li className={classes.step} data-does={step.does}>
      <div className={classes.line}>
        <StepIcon icon={type?.icon} tint={tintOf(type)} size={20} />
        <UnstyledButton className={classes.title} onClick={show}>{step.title}</UnstyledButton>
        {step.times > 1 ? <span className={classes.times}>{t('testing.times', { count: step.times })}</span> : null}
        <span className={classes.does}>{t(DOES[step.does])}{choosing || !step.port || step.port === 'done' ? null : ` · ${step.port === 'error' ? t('app.status.failed') : step.port}`}</span>
        {choosing ? <Choices step={step} choosing={choosing} /> : null}
      </div>
      {choosing && isAnswered(step) ? <AnswerOutput step={step} /> : null}
      {details ? (
        <details className={classes.details}>
          <summary>{t(choosing ? 'testing.shows.would' : 'testing.shows.did')}</summary>
          {step.given.map((given, at) => <Values key={at} label={t(step.outward ? 'testing.given.sent' : 'testing.given.asked')} value={given} />)}
          {choosing ? null : <Values label={t('testing.output')} value={step.output} />}
        </details>
      ) : null}
    </li>
  );
}

/** What fails gives nothing; of what is really done, what comes is taken. */
const isAnswered = ({ does, port }: StepTold): boolean => (does === 'answered' || does === 'asked' || does === 'waits') && port !== 'error';

/** By which way out it is answered, and whether it is really sent. */
function Choices({ step, choosing }: { step: StepTold; choosing: 'answer' | 'send' }) {
  const t = useT();
  const live = useTrial((trial) => trial.live);
  const maySend = choosing === 'send' && step.outward && step.type !== 'emit' && step.type !== 'subflow';
  const sends = live.includes(step.id);
  const setSends = (on: boolean) => useTrial.setState({ live: on ? [...live, step.id] : live.filter((one) => one !== step.id) });
  return (
    <span className={classes.choices}>
      {!sends && step.ports.length > 1 ? (
        <Select
          size="xs"
          aria-label={t('testing.answer_of', { step: step.title })}
          allowDeselect={false}
          value={step.port}
          onChange={(port) => { if (port) useTrial.setState(({ ports }) => ({ ports: { ...ports, [step.id]: port } })); }}
          data={step.ports.map((port) => ({ value: port, label: port }))}
        />
      ) : null}
      {maySend ? <Switch size="xs" label={t('testing.really_send')} aria-label={t('testing.really_send_step', { step: step.title })} checked={sends} onChange={(event) => setSends(event.currentTarget.checked)} /> : null}
    </span>
  );
}
