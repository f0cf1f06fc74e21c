import { UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useIntl } from 'react-intl';
import { api } from '~/api/client';
import { flowKeys } from '~/api/flows';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconExternalLink } from '~/ui/icons';
import { useSave } from '../../autosave';
import { useEditor } from '../../store';
import { onStage, select } from '../../view';
import drawer from '../Drawer.module.css';
import classes from './Explain.module.css';

interface Told {
  id: string;
  number: number;
  title: string;
  kind: string;
  depth: number;
  does: string;
  then: string[];
}

interface Explanation {
  summary: string[];
  steps: Told[];
  deciding: { step: string; title: string; who: string; how: string[] }[];
  leaving: { step: string; title: string; how: string; to: string; fields: string[]; secrets: string[] }[];
}

const languageOf = (locale: string) => (locale.startsWith('de') ? 'de' : 'en');

/** The draft in the words of the server, as it was saved last. */
const useExplanation = (flow: string, revision: number, language: string) =>
  useQuery({
    queryKey: [...flowKeys.one(flow), 'explain', revision, language],
    queryFn: ({ signal }) => api.get<Explanation>(`flows/${flow}/explain/`, { query: { language }, signal }),
    retry: false,
    staleTime: Infinity,
    placeholderData: (previous) => previous,
  });

/** What the flow does in plain words: made by rules from the document, the same for the same content. */
export function Explain({ flow }: { flow: Flow }) {
  const t = useT();
  const language = languageOf(useIntl().locale);
  const revision = useSave((save) => save.revision);
  const { data, isError } = useExplanation(flow.id, revision, language);
  if (isError) return <p className={drawer.none}>{t('editor.explain.failed')}</p>;
  if (!data) return <p className={drawer.none}>{t('editor.explain.loading')}</p>;
  return (
    <div className={classes.explain}>
      <p className={classes.print}>
        <a href={`/flows/${flow.id}/print/?language=${language}`} target="_blank" rel="noreferrer">
          {t('editor.explain.print')} <IconExternalLink size={16} aria-hidden />
        </a>
      </p>
      <ul className={classes.summary}>{data.summary.map((line) => <li key={line} dir="auto">{line}</li>)}</ul>
      {data.steps.length > 0 ? <h3 className={classes.head}>{t('editor.explain.steps')}</h3> : null}
      <ol className={classes.steps}>
        {data.steps.map((one) => (
          <li key={one.id} value={one.number} data-inside={one.depth > 0 || undefined}>
            <StepName id={one.id} title={one.title} /> <span className={classes.kind}>{one.kind}</span>
            <div dir="auto">{one.does}</div>
            {one.then.length > 0 ? <div className={classes.then} dir="auto">{one.then.join(' ')}</div> : null}
          </li>
        ))}
      </ol>
      {data.deciding.length > 0 ? (
        <>
          <h3 className={classes.head}>{t('editor.explain.deciding')}</h3>
          <ul className={classes.summary}>{data.deciding.map((one) => <li key={one.step} dir="auto"><StepName id={one.step} title={one.title} />: {one.who}. {one.how.join(' ')}</li>)}</ul>
        </>
      ) : null}
      {data.leaving.length > 0 ? (
        <>
          <h3 className={classes.head}>{t('editor.explain.leaving')}</h3>
          <ul className={classes.summary}>
            {data.leaving.map((one) => (
              <li key={one.step} dir="auto">
                <StepName id={one.step} title={one.title} /> → {one.to}: {one.fields.length > 0 ? one.fields.map((name) => <code key={name} className={classes.field}>{name}</code>) : t('editor.explain.fixed')}
                {one.secrets.length > 0 ? <span className={classes.kind}> {t('editor.explain.secrets', { names: one.secrets.join(', ') })}</span> : null}
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </div>
  );
}

/** The name of a step, which leads to it. */
function StepName({ id, title }: { id: string; title: string }) {
  const isThere = useEditor(({ document }) => id in document.steps);
  return (
    <UnstyledButton className={classes.name} disabled={!isThere} onClick={() => { select([id]); onStage()?.reveal(id); }}>
      {title}
    </UnstyledButton>
  );
}
