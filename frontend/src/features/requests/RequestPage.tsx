import { Button, Textarea } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useAnswer, useMyRequest, useWithdraw } from '~/api/requests';
import type { RequestDetail } from '~/api/requests';
import { useT } from '~/app/messages';
import { FactValue } from '~/features/inbox/FactValue';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { isFile } from '~/ui/FileLink';
import { LinkButton } from '~/ui/LinkButton';
import { notifyDone } from '~/ui/notify';
import { Page, PageHeader, Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import classes from './Requests.module.css';
import { RequestState } from './RequestState';

/** One's own request: how it stands, who has it, what was said, what was sent. */
export function RequestPage() {
  const { requestId } = useParams({ from: '/requests/$requestId' });
  const { data, error, refetch } = useMyRequest(requestId);
  if (data) return <Shown request={data} />;
  return <Page narrow>{error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />}</Page>;
}

function Shown({ request }: { request: RequestDetail }) {
  const t = useT();
  const [asks, setAsks] = useState(false);
  const withdraw = useWithdraw(request.id);
  const close = () => { withdraw.reset(); setAsks(false); };
  return (
    <Page narrow>
      <PageHeader
        title={request.flow.name}
        aside={<RequestState request={request} />}
        actions={request.progress.may_withdraw ? <Button onClick={() => setAsks(true)}>{t('requests.withdraw')}</Button> : null}
      />
      <p className={classes.lead}><Link to="/requests/">{t('requests.back')}</Link></p>
      <Panel title={t('requests.now')}>
        <Now request={request} />
      </Panel>
      {request.to_fill_in?.map((one) => <ToFillIn key={one.task} asked={one} />)}
      {request.questions.map((one) => <Asked key={one.id} request={request.id} question={one} />)}
      {request.answered.length > 0 ? <Panel title={t('requests.answered')}><Answered request={request} /></Panel> : null}
      <Panel title={t('requests.sent')}>
        {request.answers.length > 0 ? (
          <dl className={classes.answers}>
            {request.answers.map((one) => (
              <div key={one.name}>
                <dt dir="auto">{one.label}</dt>
                <dd dir="auto"><Answer value={one.value} /></dd>
              </div>
            ))}
          </dl>
        ) : <p className={classes.lead}>{t('requests.sent_nothing')}</p>}
      </Panel>
      {asks ? (
        <ConfirmDialog
          opened
          danger
          reason="optional"
          title={t('requests.withdraw.title', { name: request.flow.name })}
          confirm={t('requests.withdraw')}
          busy={withdraw.isPending}
          error={withdraw.error}
          onClose={close}
          onConfirm={(reason) => withdraw.mutate(reason, { onSuccess: () => { close(); notifyDone(t('requests.withdrawn')); } })}
        >
          {t('requests.withdraw.text')}
        </ConfirmDialog>
      ) : null}
    </Page>
  );
}

/** In one sentence, then who has it, since when and until when. */
function Now({ request }: { request: RequestDetail }) {
  const t = useT();
  const { exact } = useIntlTools();
  const { said, who, since, until } = request.progress;
  return (
    <>
      <p className={classes.lead} role="status">{said}</p>
      <dl className={classes.now}>
        {who.length > 0 ? <div><dt>{t('requests.who')}</dt><dd dir="auto">{who.join(', ')}</dd></div> : null}
        {since ? <div><dt>{t('requests.since')}</dt><dd>{exact(since)}</dd></div> : null}
        {until ? <div><dt>{t('requests.until')}</dt><dd>{exact(until)}</dd></div> : null}
        <div><dt>{t('requests.sent_at')}</dt><dd>{exact(request.created_at)}</dd></div>
      </dl>
    </>
  );
}

/** A form that waits for the person: what it asks, since when, until when, and the way there. */
function ToFillIn({ asked }: { asked: NonNullable<RequestDetail['to_fill_in']>[number] }) {
  const t = useT();
  const { exact } = useIntlTools();
  return (
    <Panel title={t('requests.fill_in')}>
      <p className={classes.lead} dir="auto">{asked.title}</p>
      <dl className={classes.now}>
        <div><dt>{t('requests.since')}</dt><dd>{exact(asked.at)}</dd></div>
        {asked.until ? <div><dt>{t('requests.until')}</dt><dd>{exact(asked.until)}</dd></div> : null}
      </dl>
      <div><LinkButton to="/inbox/" search={{ task: asked.task }} variant="filled">{t('requests.fill_in_open')}</LinkButton></div>
    </Panel>
  );
}

/** What somebody wants to know before they decide. */
function Asked({ request, question }: { request: string; question: RequestDetail['questions'][number] }) {
  const t = useT();
  const [text, setText] = useState('');
  const answer = useAnswer(request);
  return (
    <Panel title={t('requests.asked', { name: question.by })}>
      <form
        className={classes.sheet}
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') answer.mutate({ question: question.id, text: text.trim() }, { onSuccess: () => notifyDone(t('requests.answer_sent')) });
        }}
      >
        <p className={classes.lead} dir="auto">{question.text}</p>
        <Textarea label={t('requests.answer')} autosize minRows={3} maxLength={5000} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <ProblemText error={answer.error} />
        <div><Button type="submit" variant="filled" loading={answer.isPending} disabled={text.trim() === ''}>{t('requests.answer_send')}</Button></div>
      </form>
    </Panel>
  );
}

function Answered({ request }: { request: RequestDetail }) {
  const t = useT();
  return (
    <ol className={classes.said}>
      {request.answered.map((one, at) => (
        <li key={at}>
          <p dir="auto">{one.title}</p>
          <p className={classes.muted}>
            {one.by.length > 0 ? t('requests.said_by', { word: one.word, names: one.by.join(', ') }) : one.word} <RelativeTime at={one.at} />
          </p>
          {one.comments.map((comment, index) => <blockquote key={index} dir="auto">{comment}</blockquote>)}
        </li>
      ))}
    </ol>
  );
}

const isRow = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What was answered; rows of a table as a table. */
function Answer({ value }: { value: unknown }) {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRow) || value.some(isFile)) return <FactValue value={value} />;
  const columns = [...new Set(value.flatMap((row) => Object.keys(row)))];
  return (
    <div className={classes.wide}>
      <table className={classes.rows}>
        <thead><tr>{columns.map((one) => <th key={one} scope="col">{one}</th>)}</tr></thead>
        <tbody>{value.map((row, at) => <tr key={at}>{columns.map((one) => <td key={one}><FactValue value={row[one]} /></td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
