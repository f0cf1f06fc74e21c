import { ActionIcon, Button, Checkbox, Select, Tooltip } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useGrants, useSaveGrants } from '~/api/flows';
import { useRight } from '~/api/me';
import { useMembers, useTeams } from '~/api/settings';
import type { GrantRight, Grant } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconX } from '~/ui/icons';
import { notifyDone } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { AccessChanges } from './AccessChanges';
import classes from './FlowAccess.module.css';

const RIGHTS: { right: GrantRight; label: MessageId }[] = [
  { right: 'view', label: 'flows.access.view' },
  { right: 'edit', label: 'flows.access.edit' },
  { right: 'publish', label: 'flows.access.publish' },
  { right: 'run', label: 'flows.access.run' },
];

const keyOf = (subject: Grant['subject']) => `${subject.kind}:${subject.id}`;

/** Rights to this one flow, given to people and teams on top of their roles. */
export function FlowAccess() {
  const { flowId } = useParams({ from: '/flows/$flowId' });
  const { data, error, refetch } = useGrants(flowId);
  const mayShare = useRight('flow.grant', 'roles.manage');
  const readsTrail = useRight('audit.view');
  if (error) return <Page narrow><ErrorState error={error} retry={() => void refetch()} /></Page>;
  if (!data) return <Page narrow><ListSkeleton rows={4} /></Page>;
  return (
    <Page narrow>
      {mayShare ? <GrantEditor key={flowId} flowId={flowId} saved={data.grants} /> : <GrantList grants={data.grants} />}
      {readsTrail ? <AccessChanges flowId={flowId} /> : null}
    </Page>
  );
}

/** Who may do what, for those who may only look. */
function GrantList({ grants }: { grants: Grant[] }) {
  const t = useT();
  const columns: Column<Grant>[] = [
    { key: 'who', header: t('flows.access.subject'), cell: ({ subject }) => subject.name ?? subject.id },
    { key: 'rights', header: t('flows.access.rights'), cell: ({ rights }) => RIGHTS.filter((one) => rights.includes(one.right)).map((one) => t(one.label)).join(', ') },
  ];
  return (
    <section className={classes.body} aria-label={t('flows.access.title')}>
      <div>
        <h2 className={classes.title}>{t('flows.access.title')}</h2>
        <p className={classes.text}>{t('flows.access.text')}</p>
      </div>
      {grants.length > 0 ? <DataTable label={t('flows.access.title')} columns={columns} rows={grants} rowKey={(grant) => keyOf(grant.subject)} /> : <EmptyState title={t('flows.access.empty')} />}
    </section>
  );
}

function GrantEditor({ flowId, saved }: { flowId: string; saved: Grant[] }) {
  const t = useT();
  const members = useMembers().data?.results ?? [];
  const teams = useTeams().data?.results ?? [];
  const save = useSaveGrants(flowId);
  const [grants, setGrants] = useState(saved);
  const names = new Map<string, string>([
    ...members.map((member) => [`user:${member.user_id}`, member.name || member.email] as const),
    ...teams.map((team) => [`team:${team.id}`, team.name] as const),
  ]);
  const nameOf = (grant: Grant) => grant.subject.name ?? names.get(keyOf(grant.subject)) ?? grant.subject.id;
  const given = new Set(grants.map((grant) => keyOf(grant.subject)));
  const options = (kind: 'user' | 'team') =>
    [...names].filter(([key]) => key.startsWith(kind) && !given.has(key)).map(([value, label]) => ({ value, label }));

  const add = (key: string | null) => {
    if (!key) return;
    const [kind, id] = key.split(':') as ['user' | 'team', string];
    setGrants([...grants, { subject: { kind, id }, rights: ['view'] }]);
  };
  // Whoever edits, publishes or runs a flow has to see it.
  const toggle = (grant: Grant, right: GrantRight, on: boolean) => {
    const rights = on ? [...new Set<GrantRight>(['view', ...grant.rights, right])] : grant.rights.filter((one) => one !== right);
    setGrants(grants.map((one) => (one === grant ? { ...one, rights: right === 'view' && !on ? [] : rights } : one)));
  };
  const columns: Column<Grant>[] = [
    { key: 'who', header: t('flows.access.subject'), cell: nameOf },
    ...RIGHTS.map(({ right, label }) => ({
      key: right, header: t(label), width: 84, labelled: true,
      cell: (grant: Grant) => (
        <Checkbox aria-label={t('flows.access.right', { right: t(label), name: nameOf(grant) })} checked={grant.rights.includes(right)} onChange={(event) => toggle(grant, right, event.currentTarget.checked)} />
      ),
    })),
    {
      key: 'remove', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (grant) => (
        <Tooltip label={t('flows.access.remove', { name: nameOf(grant) })}>
          <ActionIcon aria-label={t('flows.access.remove', { name: nameOf(grant) })} onClick={() => setGrants(grants.filter((one) => one !== grant))}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ),
    },
  ];
  return (
    <div className={classes.body}>
      <div>
        <h2 className={classes.title}>{t('flows.access.title')}</h2>
        <p className={classes.text}>{t('flows.access.text')}</p>
      </div>
      {grants.length > 0 ? <DataTable label={t('flows.access.title')} columns={columns} rows={grants} rowKey={(grant) => keyOf(grant.subject)} /> : <EmptyState title={t('flows.access.empty')} />}
      <div className={classes.foot}>
        <Select
          searchable
          value={null}
          className={classes.add}
          label={t('flows.access.add_label')}
          placeholder={t('flows.access.add_placeholder')}
          nothingFoundMessage={t('flows.access.nobody_found')}
          data={[
            { group: t('flows.access.people'), items: options('user') },
            { group: t('flows.access.teams'), items: options('team') },
          ]}
          onChange={add}
        />
        <Button variant="filled" loading={save.isPending} disabled={grants === saved} onClick={() => save.mutate(grants.filter((grant) => grant.rights.length > 0), { onSuccess: () => notifyDone(t('flows.access.saved')) })}>
          {t('app.save')}
        </Button>
      </div>
      <ProblemText error={save.error} />
    </div>
  );
}
