import { Link } from '@tanstack/react-router';
import { useAsked } from '~/api/evidence';
import type { Asked } from '~/api/evidence';
import { useRunDocument } from '~/api/testing';
import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { IconShieldCheck } from '~/ui/icons';
import classes from './RunPage.module.css';

const MOST = 4;

/** Whether a step of the flow may ask somebody; of one that is not known here nobody can say. */
const asksPeople = (document: FlowDocument, types: Lookup): boolean =>
  Object.values(document.steps).some((step) => {
    const type = types.step(step.type, step.version);
    return type === undefined || (type.behaviour === 'wait' && type.category?.toLowerCase() === 'people');
  });

/** What people were asked in this run and what they said, each with the way to the evidence. */
export function AskedOf({ run, step }: { run: Run; step?: string }) {
  const t = useT();
  const document = useRunDocument(run).data;
  const types = useLookup();
  const all = useAsked(run.id, run.version !== null && document !== undefined && asksPeople(document, types)).data?.results ?? [];
  const asked = step === undefined ? all : all.filter((one) => one.step === step);
  if (asked.length === 0) return null;
  const shown = step === undefined ? asked.slice(0, MOST) : asked;
  return (
    <nav className={classes.family} aria-label={t(step === undefined ? 'runs.asked' : 'runs.asked.of_step')}>
      <IconShieldCheck size={16} aria-hidden />
      {shown.map((one) => <One key={one.id} asked={one} />)}
      {asked.length > shown.length ? <span>{t('runs.asked.more', { count: asked.length - shown.length })}</span> : null}
    </nav>
  );
}

function One({ asked }: { asked: Asked }) {
  const t = useT();
  const what = asked.stage_name ? t('runs.asked.stage', { title: asked.title, stage: asked.stage_name }) : asked.title;
  const came =
    asked.status === 'decided'
      ? asked.decided_by ? t('runs.asked.decided', { outcome: asked.outcome_word, name: asked.decided_by }) : asked.outcome_word
      : asked.pending_word ? t('runs.asked.held', { outcome: asked.pending_word }) : t(`runs.asked.${asked.status}`);
  const said = t(asked.is_stale ? 'runs.asked.one_stale' : 'runs.asked.one', { what, came });
  // The evidence is a page of its own, made to be printed.
  return asked.has_evidence ? <a href={`/inbox/${asked.id}/evidence/`}>{t('runs.asked.evidence', { said })}</a> : <Link to="/inbox/" search={{ task: asked.id }}>{said}</Link>;
}
