import { ActionIcon, Menu } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useDuplicateFlow, useMoveFlow } from '~/api/flows';
import type { FlowMove } from '~/api/flows';
import { useMe } from '~/api/me';
import type { Flow, Right } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { IconArchive, IconCopy, IconDots, IconPlayerPause, IconPlayerPlay, IconRoute } from '~/ui/icons';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { problemSentence } from '~/ui/ProblemText';

const DONE: Record<FlowMove, MessageId> = { pause: 'flows.paused', resume: 'flows.resumed', archive: 'flows.archived' };

/** What may be done with the flow as a whole; the server has the last word. */
export function useFlowRights(flow: Flow) {
  const { rights } = useMe();
  const has = (...anyOf: Right[]) => anyOf.some((right) => rights.includes(right));
  const here = flow.state !== 'archived';
  return {
    move: here && flow.rights.includes('pause'),
    archive: here && flow.rights.includes('archive'),
    duplicate: has('flow.create'),
    run: flow.rights.includes('run') && flow.active_version !== null && flow.state === 'active',
    share: has('flow.grant', 'roles.manage'),
  };
}

/** Duplicate, pause, resume, archive. */
export function FlowMenu({ flow }: { flow: Flow }) {
  const t = useT();
  const go = useNavigate();
  const may = useFlowRights(flow);
  const move = useMoveFlow();
  const duplicate = useDuplicateFlow();
  const [asking, setAsking] = useState<'pause' | 'archive'>();
  const { name } = flow;
  const complain = (error: unknown) => notifyProblem(problemSentence(error, t));
  const act = (how: FlowMove, reason?: string) =>
    move.mutate(
      { id: flow.id, move: how, reason },
      { onSuccess: () => { setAsking(undefined); notifyDone(t(DONE[how], { name })); }, onError: asking ? undefined : complain },
    );
  const copy = () =>
    duplicate.mutate(
      { id: flow.id, key: newKey() },
      { onSuccess: (made) => { notifyDone(t('flows.duplicated', { name })); void go({ to: '/flows/$flowId/', params: { flowId: made.id } }); }, onError: complain },
    );
  return (
    <>
      <Menu width={200}>
        <Menu.Target>
          <ActionIcon size="xs" aria-label={t('app.actions_for', { name })}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/flows/${flow.id}/runs/`} leftSection={<IconRoute size={16} aria-hidden />}>{t('flows.show_runs')}</Menu.Item>
          {may.duplicate ? <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={copy}>{t('flows.duplicate')}</Menu.Item> : null}
          {may.move && flow.state === 'active' && flow.active_version !== null ? (
            <Menu.Item leftSection={<IconPlayerPause size={16} aria-hidden />} onClick={() => setAsking('pause')}>{t('flows.pause')}</Menu.Item>
          ) : null}
          {may.move && flow.state === 'paused' ? (
            <Menu.Item leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={() => act('resume')}>{t('flows.resume')}</Menu.Item>
          ) : null}
          {may.archive ? (
            <>
              <Menu.Divider />
              <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => setAsking('archive')}>{t('flows.archive')}</Menu.Item>
            </>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      {asking ? (
        <ConfirmDialog
          opened
          title={t(asking === 'pause' ? 'flows.pause.title' : 'flows.archive.title', { name })}
          confirm={t(asking === 'pause' ? 'flows.pause' : 'flows.archive')}
          danger={asking === 'archive'}
          reason="optional"
          busy={move.isPending}
          error={move.error}
          onConfirm={(reason) => act(asking, reason || undefined)}
          onClose={() => { move.reset(); setAsking(undefined); }}
        >
          {t(asking === 'pause' ? 'flows.pause.text' : 'flows.archive.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
