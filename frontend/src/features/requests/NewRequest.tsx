import { Button } from '@mantine/core';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { newKey } from '~/api/client';
import { isProblem } from '~/api/problem';
import { saveRequestDraft, useDiscardDraft, useRequestForm, useSendRequest } from '~/api/requests';
import type { RequestForm } from '~/api/requests';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';
import { Page, PageHeader, Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { faultsOf } from '~/ui/schemaForm/faults';
import { onlyAsked } from '~/ui/schemaForm/conditions';
import { SchemaForm } from '~/ui/schemaForm/SchemaForm';
import { DRAFT_SAID, useDraft } from '~/ui/schemaForm/useDraft';
import { ErrorState, PageSkeleton } from '~/ui/States';
import classes from './Requests.module.css';

/** A form to fill in; what is typed is kept as a draft until it is sent. */
export function NewRequest() {
  const { flowId } = useParams({ from: '/requests/new/$flowId' });
  const { data, error, refetch, dataUpdatedAt } = useRequestForm(flowId);
  if (data) return <Fill key={`${data.form_hash} ${dataUpdatedAt}`} asked={data} again={() => void refetch()} />;
  return <Page narrow>{error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />}</Page>;
}

/** Of a draft, the answers to questions that there still are. */
function kept({ form, draft }: RequestForm): Record<string, unknown> {
  const names = Object.keys((form['properties'] as Record<string, unknown> | undefined) ?? {});
  return Object.fromEntries(Object.entries(draft?.answers ?? {}).filter(([name]) => names.includes(name)));
}

function Fill({ asked, again }: { asked: RequestForm; again: () => void }) {
  const t = useT();
  const go = useNavigate();
  const [key] = useState(newKey);
  const [answers, setAnswers] = useState<unknown>(() => kept(asked));
  const [discards, setDiscards] = useState(false);
  const save = useCallback((given: unknown) => saveRequestDraft(asked.flow.id, asked.form_hash, given), [asked.flow.id, asked.form_hash]);
  const draft = useDraft(save, asked.draft?.id ?? null);
  const send = useSendRequest(key);
  const discard = useDiscardDraft(asked.flow.id);
  const isChanged = isProblem(send.error, 'form_changed') || isProblem(draft.problem, 'form_changed');
  const submit = async (given: unknown) => {
    await draft.flush();
    send.mutate(
      { flow: asked.flow.id, form_hash: asked.form_hash, answers: given, draft: draft.id.current },
      {
        onSuccess: ({ id }) => {
          draft.drop();
          notifyDone(t('requests.done'));
          void go({ to: '/requests/$requestId/', params: { requestId: id } });
        },
      },
    );
  };
  const faults = faultsOf(send.error);
  return (
    <Page narrow>
      <PageHeader title={asked.flow.name} />
      <p className={classes.lead}><Link to="/requests/">{t('requests.back')}</Link></p>
      {asked.text ? <p className={classes.lead} dir="auto">{asked.text}</p> : null}
      {asked.is_paused ? <div className={classes.notice} role="status">{t('requests.paused')}</div> : null}
      {asked.draft?.is_stale ? <div className={classes.notice} role="status">{t('requests.stale')}</div> : null}
      <Panel>
        <SchemaForm
          schema={asked.form}
          value={answers}
          faults={faults}
          flow={asked.flow.id}
          onChange={(next) => { setAnswers(next); draft.keep(onlyAsked(asked.form, next)); }}
          onSubmit={(given) => { if (!send.isPending) void submit(given); }}
        >
          <ProblemText error={send.error ?? draft.problem} />
          <div className={classes.foot}>
            <span className={classes.muted} role="status">{t(DRAFT_SAID[draft.status])}</span>
            <div>
              {isChanged ? <Button variant="filled" onClick={again}>{t('requests.open_again')}</Button> : (
                <>
                  <Button onClick={() => setDiscards(true)}>{t('requests.discard')}</Button>
                  <Button type="submit" variant="filled" loading={send.isPending}>{t('requests.send')}</Button>
                </>
              )}
            </div>
          </div>
        </SchemaForm>
      </Panel>
      {discards ? (
        <ConfirmDialog
          opened
          danger
          title={t('requests.discard.title')}
          confirm={t('requests.discard')}
          busy={discard.isPending}
          error={discard.error}
          onClose={() => { discard.reset(); setDiscards(false); }}
          onConfirm={() => { draft.drop(); discard.mutate(undefined, { onSuccess: () => void go({ to: '/requests/' }) }); }}
        >
          {t('requests.discard.text')}
        </ConfirmDialog>
      ) : null}
    </Page>
  );
}
