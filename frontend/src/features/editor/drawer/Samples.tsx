import { Link } from '@tanstack/react-router';
import { useT } from '~/app/messages';
import { ListSkeleton } from '~/ui/States';
import { Values } from '~/ui/Values';
import { useSample } from '../api';
import { useEditor } from '../store';
import classes from './Drawer.module.css';

/** The data of the last run: what expressions are tried with. */
export function Samples({ flowId }: { flowId: string }) {
  const t = useT();
  const { data: sample, isPending } = useSample(flowId);
  const steps = useEditor(({ document }) => document.steps);
  if (isPending) return <ListSkeleton rows={3} />;
  if (!sample) return <p className={classes.none}>{t('editor.samples.none')}</p>;
  const outputs = Object.entries(sample.steps).filter(([id, ran]) => ran?.output !== undefined && ran.output !== null && steps[id]);
  return (
    <div className={classes.samples}>
      <p className={classes.none}>
        {t('editor.samples.text')} <Link to="/runs/$runId/" params={{ runId: sample.run }}>{t('editor.samples.run')}</Link>
      </p>
      <Values label={t('canvas.trigger')} value={sample.trigger} />
      {outputs.map(([id, ran]) => <Values key={id} label={steps[id]?.title ?? id} value={ran?.output} />)}
    </div>
  );
}
