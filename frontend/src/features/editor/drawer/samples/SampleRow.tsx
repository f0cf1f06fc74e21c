import { ActionIcon, Menu, UnstyledButton } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useForgetSample, useKeepSample } from '~/api/testing';
import type { SampleItem, SampleSource } from '~/api/testing';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { IconCheck, IconDots } from '~/ui/icons';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { useEditor } from '../../store';
import { useTrial } from '../../trial';
import { SendSample } from './SendSample';
import classes from './Samples.module.css';

const FROM: Record<SampleSource, MessageId> = {
  heard: 'testing.source.heard', kept: 'testing.source.kept', pasted: 'testing.source.pasted', run: 'testing.source.run',
};

interface Props {
  flow: Flow;
  sample: SampleItem;
  chosen: boolean;
  mayEdit: boolean;
}

/** One sample: choosing it shows its values beside every expression. */
export function SampleRow({ flow, sample, chosen, mayEdit }: Props) {
  const t = useT();
  const types = useLookup();
  const go = useNavigate();
  const keep = useKeepSample(flow.id);
  const forget = useForgetSample(flow.id);
  const [sending, setSending] = useState(false);
  const isWebhook = useEditor(({ document }) => document.trigger.type === 'webhook');
  const maySend = isWebhook && flow.rights.includes('run') && flow.state !== 'archived';
  const name = sample.name || types.trigger(sample.type)?.title || sample.type;
  const actions = [
    maySend ? <Menu.Item key="send" onClick={() => setSending(true)}>{t('testing.send')}</Menu.Item> : null,
    sample.run ? <Menu.Item key="run" onClick={() => void go({ to: '/runs/$runId/', params: { runId: sample.run ?? '' } })}>{t('testing.show_run')}</Menu.Item> : null,
    mayEdit && sample.source === 'run' ? (
      <Menu.Item key="keep" onClick={() => keep.mutate({ run: sample.id, key: newKey() }, { onSuccess: () => notifyDone(t('testing.kept')) })}>{t('testing.keep')}</Menu.Item>
    ) : null,
    mayEdit && sample.source !== 'run' ? <Menu.Item key="forget" onClick={() => forget.mutate(sample.id)}>{t('testing.forget')}</Menu.Item> : null,
  ].filter(Boolean);
  return (
    <li className={classes.row} data-chosen={chosen || undefined}>
      <UnstyledButton className={classes.pick} aria-pressed={chosen} onClick={() => useTrial.setState({ sample: sample.id })}>
        <span className={classes.mark}>{chosen ? <IconCheck size={16} aria-hidden /> : null}</span>
        <span className={classes.name}>{name}</span>
        <span className={classes.from}>{t(FROM[sample.source])} <RelativeTime at={sample.at} /></span>
      </UnstyledButton>
      {actions.length === 0 ? null : (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon aria-label={t('testing.sample_menu', { name })}><IconDots size={16} aria-hidden /></ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>{actions}</Menu.Dropdown>
        </Menu>
      )}
      {sending ? <SendSample flow={flow} sample={sample} onClose={() => setSending(false)} /> : null}
      <ProblemText error={keep.error ?? forget.error} />
    </li>
  );
}
