import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { parseExact, stringifyExact } from '~/api/exact';
import type { StepTold } from '~/api/testing';
import { useT } from '~/app/messages';
import { IconPencil } from '~/ui/icons';
import { useTrial } from '../../trial';
import classes from './Trial.module.css';

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : stringifyExact(value, 2));

/** What a step that is answered instead of done gives to the steps behind it: the sample's, or one's own. */
export function AnswerOutput({ step }: { step: StepTold }) {
  const t = useT();
  const own = useTrial((trial) => trial.outputs);
  const isOwn = step.id in own;
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  const put = (outputs: Record<string, unknown>) => {
    useTrial.setState({ outputs });
    setText(null);
    setProblem('');
  };
  const take = () => {
    try {
      put({ ...own, [step.id]: (text ?? '').trim() === '' ? null : parseExact(text ?? '') });
    } catch (error) {
      setProblem(t('testing.gives.bad', { reason: error instanceof Error ? error.message : '' }));
    }
  };
  const back = () => {
    const { [step.id]: _gone, ...kept } = own;
    put(kept);
  };
  if (text === null) {
    return (
      <div className={classes.gives}>
        <Button size="xs" leftSection={<IconPencil size={16} aria-hidden />} aria-label={t('testing.gives.set_step', { step: step.title })} onClick={() => setText(textOf(isOwn ? own[step.id] : step.output))}>{t('testing.gives')}</Button>
        {isOwn ? (
          <>
            <span className={classes.own}>{t('testing.gives.own')}</span>
            <Button size="xs" variant="subtle" aria-label={t('testing.gives.back_step', { step: step.title })} onClick={back}>{t('testing.gives.back')}</Button>
          </>
        ) : null}
      </div>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape closes it from anywhere inside
    <div className={classes.giving} onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); setText(null); setProblem(''); } }}>
      <Textarea
        autoFocus
        label={t('testing.gives.step', { step: step.title })}
        description={t('testing.gives.hint')}
        autosize
        minRows={3}
        maxRows={12}
        spellCheck={false}
        classNames={{ input: classes.mono }}
        value={text}
        error={problem}
        onChange={(event) => { setText(event.currentTarget.value); setProblem(''); }}
      />
      <div className={classes.gives}>
        <Button size="xs" variant="filled" onClick={take}>{t('testing.gives.take')}</Button>
        <Button size="xs" onClick={() => { setText(null); setProblem(''); }}>{t('app.cancel')}</Button>
      </div>
    </div>
  );
}
