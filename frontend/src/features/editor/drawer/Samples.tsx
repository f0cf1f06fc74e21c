import type { Flow } from '~/api/types';
import { useSampleValues, useSamples } from '~/api/testing';
import { useT } from '~/app/messages';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { Values } from '~/ui/Values';
import { useChosenSample } from '../api';
import { useEditor } from '../store';
import classes from './samples/Samples.module.css';
import { Listen } from './samples/Listen';
import { PasteSample } from './samples/PasteSample';
import { SampleRow } from './samples/SampleRow';

/** What expressions and tests are tried with: what arrived, what was pasted, the latest triggers. */
export function Samples({ flow }: { flow: Flow }) {
  const t = useT();
  const samples = useSamples(flow.id);
  const chosen = useChosenSample(flow.id);
  const isWebhook = useEditor(({ document }) => document.trigger.type === 'webhook');
  const readOnly = useEditor((editor) => editor.readOnly);
  const may = flow.rights.includes('edit') && flow.state !== 'archived' && !readOnly;
  if (samples.error && !samples.data) return <ErrorState bare error={samples.error} retry={() => void samples.refetch()} />;
  if (!samples.data) return <ListSkeleton rows={3} />;
  const rows = samples.data.results;
  return (
    <div className={classes.split}>
      <div className={classes.left}>
        {may ? (
          <div className={classes.tools}>
            {isWebhook ? <Listen flowId={flow.id} /> : null}
            <PasteSample flowId={flow.id} />
          </div>
        ) : null}
        {rows.length === 0 ? <p className={classes.none}>{t(isWebhook ? 'testing.samples.none_webhook' : 'testing.samples.none')}</p> : null}
        <ul className={classes.list} aria-label={t('editor.drawer.samples')}>
          {rows.map((one) => <SampleRow key={one.id} flow={flow} sample={one} chosen={one.id === chosen} mayEdit={may} />)}
        </ul>
      </div>
      <SampleShown flowId={flow.id} id={chosen} />
    </div>
  );
}

function SampleShown({ flowId, id }: { flowId: string; id: string | null }) {
  const t = useT();
  const steps = useEditor(({ document }) => document.steps);
  const { data, error, refetch } = useSampleValues(flowId, id);
  if (id === null) return <div className={classes.right} />;
  if (error && !data) return <div className={classes.right}><ErrorState bare error={error} retry={() => void refetch()} /></div>;
  if (!data) return <div className={classes.right}><ListSkeleton rows={3} /></div>;
  const outputs = Object.entries(data.steps).filter(([name, ran]) => ran?.output !== undefined && ran.output !== null && steps[name]);
  return (
    <section className={classes.right} aria-label={t('testing.samples.values')}>
      <p className={classes.lead}>{t(!data.may_see ? 'testing.samples.hidden' : data.run ? 'testing.samples.recorded' : 'testing.samples.foreseen')}</p>
      <Values label={t('canvas.trigger')} value={data.trigger} />
      {outputs.map(([name, ran]) => <Values key={name} label={steps[name]?.title ?? name} value={ran?.output} />)}
    </section>
  );
}
