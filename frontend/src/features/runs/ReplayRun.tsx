import { Button, Group, Modal, Radio, Select, Stack, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useRight } from '~/api/me';
import { useReplayRun } from '~/api/runs';
import type { ReplayChoice } from '~/api/runs';
import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { ProblemText } from '~/ui/ProblemText';

/** Does a run again: from where, on which version, live or dry. */
export function ReplayRun({ run, document, step }: { run: Run; document: FlowDocument | undefined; step?: string }) {
  const t = useT();
  const may = useRight('run.operate');
  const [key, setKey] = useState<string>();
  if (!may || !run.started_at) return null;
  return (
    <>
      <Button onClick={() => setKey(newKey())}>{t('runs.replay')}</Button>
      <Modal opened={key !== undefined} onClose={() => setKey(undefined)} title={t('runs.replay.title')} closeButtonProps={{ 'aria-label': t('app.close') }}>
        {key ? <Choices run={run} document={document} step={step} idempotencyKey={key} onClose={() => setKey(undefined)} /> : null}
      </Modal>
    </>
  );
}

interface Props {
  run: Run;
  document: FlowDocument | undefined;
  step: string | undefined;
  idempotencyKey: string;
  onClose: () => void;
}

function Choices({ run, document, step, idempotencyKey, onClose }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const replay = useReplayRun(run.id);
  const reached = Object.keys(run.steps);
  const [choice, setChoice] = useState<ReplayChoice>({ from_step: step && reached.includes(step) ? step : '', version: 'own', mode: 'live' });
  const steps = [
    { value: '', label: t('runs.replay.from_start') },
    ...reached.map((id) => ({ value: id, label: document?.steps[id]?.title ?? id })),
  ];
  const start = () =>
    replay.mutate(
      { choice, key: `${idempotencyKey}${JSON.stringify(choice)}`.slice(0, 200) },
      { onSuccess: ({ id }) => { onClose(); void navigate({ to: '/runs/$runId/', params: { runId: id } }); } },
    );
  return (
    <Stack gap="md">
      <Text size="sm">{t('runs.replay.text')}</Text>
      <Select label={t('runs.replay.from')} data={steps} value={choice.from_step ?? ''} allowDeselect={false} onChange={(from) => setChoice({ ...choice, from_step: from ?? '' })} />
      <Radio.Group label={t('runs.replay.version')} value={choice.version} onChange={(version) => setChoice({ ...choice, version })}>
        <Stack gap="xs">
          <Radio value="own" label={t('runs.replay.version.own')} />
          <Radio value="latest" label={t('runs.replay.version.latest')} />
        </Stack>
      </Radio.Group>
      <Radio.Group label={t('runs.replay.mode')} value={choice.mode} onChange={(mode) => setChoice({ ...choice, mode })}>
        <Stack gap="xs">
          <Radio value="live" label={t('runs.replay.mode.live')} />
          <Radio value="dry" label={t('runs.replay.mode.dry')} />
        </Stack>
      </Radio.Group>
      <ProblemText error={replay.error} />
      <Group justify="flex-end" gap="xs">
        <Button onClick={onClose}>{t('app.back')}</Button>
        <Button variant="filled" loading={replay.isPending} onClick={start}>{t('runs.replay')}</Button>
      </Group>
    </Stack>
  );
}
