import { Button, Modal, Radio, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { useCreateFlow, useExamples, useStepCatalogue } from '~/api/flows';
import { useT } from '~/app/messages';
import { useTour } from '~/features/tour/store';
import { ProblemText } from '~/ui/ProblemText';
import { Delayed } from '~/ui/States';
import { Skeleton } from '@mantine/core';
import classes from './Flows.module.css';

function Choice({ value, title, text, more, chosen }: { value: string; title: string; text: string; more?: string; chosen: boolean }) {
  return (
    <Radio.Card value={value} className={classes.choice} data-checked={chosen || undefined}>
      <strong>{title}</strong>
      <span>{text}</span>
      {more ? <small>{more}</small> : null}
    </Radio.Card>
  );
}

/** Name and beginning of a new flow; opens it in the editor. */
export function NewFlow({ start, onClose }: { start: string; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const examples = useExamples();
  const create = useCreateFlow();
  const tourBegan = useTour((tour) => tour.began);
  const [key] = useState(newKey);
  const [name, setName] = useState('');
  const [picked, setPicked] = useState<string>();
  const catalogue = useStepCatalogue().data;
  const startsBy = (kind: string) => catalogue?.triggers.find((type) => type.kind === kind)?.title ?? '';
  const found = examples.data?.results ?? [];
  const wanted = start === 'example' ? found[0] : found.find((example) => example.slug === start);
  const from = picked ?? wanted?.slug ?? '';
  const title = found.find((example) => example.slug === from)?.title;
  const finalName = name.trim() || title || '';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { name: finalName, example: from || undefined, key },
      { onSuccess: (flow) => { tourBegan(flow); void go({ to: '/flows/$flowId/', params: { flowId: flow.id } }); } },
    );
  };
  return (
    <Modal opened onClose={onClose} title={t('flows.create.title')} size={880} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput
          data-autofocus
          label={t('flows.create.name')}
          description={t('flows.create.name_hint')}
          placeholder={title}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Radio.Group label={t('flows.create.from')} value={from} onChange={setPicked}>
          <div className={classes.choices}>
            <Choice value="" title={t('flows.create.empty')} text={t('flows.create.empty_text')} chosen={from === ''} />
            {found.map((example) => (
              <Choice
                key={example.slug}
                value={example.slug}
                title={example.title}
                text={example.description}
                more={t('flows.create.shape', { trigger: startsBy(example.document.trigger.type), count: Object.keys(example.document.steps).length })}
                chosen={from === example.slug}
              />
            ))}
            {examples.isPending ? <Delayed><Skeleton height={56} /></Delayed> : null}
          </div>
        </Radio.Group>
        <ProblemText error={create.error ?? examples.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={create.isPending} disabled={finalName === '' || (start !== 'empty' && picked === undefined && examples.isPending)}>
            {t('flows.create.action')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
