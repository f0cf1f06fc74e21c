import { Link } from '@tanstack/react-router';
import type { FlowDocument, Run, RunStep } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { StepIcon } from '~/features/canvas/StepIcon';
import { summaryOf } from '~/features/canvas/summary';
import { Mono } from '~/ui/Mono';
import { Duration, RelativeTime } from '~/ui/RelativeTime';
import { StatusBadge } from '~/ui/StatusBadge';
import { Values } from '~/ui/Values';
import classes from './SidePanel.module.css';
import { itemsSaid } from './runPicture';
import { AskedOf } from './AskedOf';
import { Wait } from './Wait';

const CLASSES: Record<string, MessageId> = {
  transient: 'runs.step.class.transient',
  permanent: 'runs.step.class.permanent',
  human: 'runs.step.class.human',
  unknown: 'runs.step.class.unknown',
};

function Facts({ step, ports, kind }: { step: RunStep; ports: string[]; kind: string | undefined }) {
  const t = useT();
  const items = itemsSaid(kind, step.items, t);
  return (
    <dl className={classes.facts}>
      {/* A step that fails without a way out for it has left by none. */}
      {step.port && ports.includes(step.port) ? <><dt>{t('runs.step.left_by')}</dt><dd>{step.port}</dd></> : null}
      {items ? <><dt>{t(kind === 'repeat' ? 'runs.step.rounds' : 'runs.step.items')}</dt><dd>{items}</dd></> : null}
      <dt>{t('runs.step.started')}</dt>
      <dd><RelativeTime at={step.started_at} /></dd>
      <dt>{t(step.finished_at ? 'runs.step.took' : 'runs.so_far')}</dt>
      <dd><Duration from={step.started_at} to={step.finished_at} /></dd>
      {step.attempts > 0 ? <><dt>{t('runs.step.attempts')}</dt><dd>{step.attempts}</dd></> : null}
      {step.visits > 1 ? <><dt>{t('runs.step.visits')}</dt><dd>{step.visits}</dd></> : null}
    </dl>
  );
}

/** The way down, to the run that a step has started. */
function Child({ step, isKnown }: { step: RunStep; isKnown: (id: string) => boolean }) {
  const t = useT();
  const id = [step.output, step.input].map((one) => (one as { run?: unknown } | null | undefined)?.run).find((one) => typeof one === 'string');
  return typeof id === 'string' && isKnown(id) ? <p className={classes.none}><Link to="/runs/$runId/" params={{ runId: id }}>{t('runs.child_plain')}</Link></p> : null;
}

/** One step of a run: state, times, what went wrong, what went in and what came out. */
export function StepDetails({ run, document, id }: { run: Run; document: FlowDocument; id: string }) {
  const t = useT();
  const types = useLookup();
  const written = document.steps[id];
  const type = written ? types.step(written.type, written.version) : undefined;
  const step = run.steps[id];
  return (
    <div className={classes.stack}>
      <div className={classes.head}>
        <StepIcon icon={type?.icon} tint={tintOf(type)} />
        <div>
          <h2 className={classes.title}>{written?.title ?? id}</h2>
          <p className={classes.kind}>{written ? summaryOf(written, type, t) : id}</p>
        </div>
        <StatusBadge status={step?.status ?? 'skipped'} />
      </div>
      {run.waiting_for.filter((reason) => reason.step === id).map((reason) => <p key={reason.kind} className={classes.wait}><Wait reason={reason} /></p>)}
      {step ? <Facts step={step} ports={portsIn(document, id, types)} kind={written?.type} /> : <p className={classes.none}>{t('runs.step.not_reached')}</p>}
      {written?.type === 'subflow' && step ? <Child step={step} isKnown={(id) => run.children?.includes(id) ?? false} /> : null}
      {(written?.type === 'approval' || written?.type === 'fill_in') && step ? <AskedOf run={run} step={id} /> : null}
      {step?.taken_over ? <p className={classes.none}>{t('runs.step.taken_over')}</p> : null}
      {step?.error ? (
        <div className={classes.error}>
          <h3>{t('runs.step.error')}</h3>
          <p>{step.error.message}</p>
          <p>
            {step.error.class in CLASSES ? t(CLASSES[step.error.class]!) : null} <Mono>{step.error.code}</Mono>
          </p>
        </div>
      ) : null}
      {step?.input !== undefined && step.input !== null ? <Values label={t('runs.step.input')} value={step.input} /> : null}
      {step?.output !== undefined && step.output !== null ? (
        <Values label={t('runs.step.output')} value={step.output} />
      ) : step?.finished_at ? (
        <p className={classes.none}>{t('runs.step.no_output')}</p>
      ) : null}
    </div>
  );
}
