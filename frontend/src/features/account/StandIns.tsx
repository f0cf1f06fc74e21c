import { Button, Checkbox, Modal, MultiSelect, NumberInput, TextInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useMe } from '~/api/me';
import { useDelegate, useDelegations, useEndDelegation } from '~/api/people';
import type { Delegation } from '~/api/people';
import { useT } from '~/app/messages';
import { ListState } from '~/features/settings/ListState';
import { SectionHead } from '~/features/settings/SectionHead';
import classes from '~/features/settings/Settings.module.css';
import { ChoosePerson } from '~/ui/ChoosePerson';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconPlus } from '~/ui/icons';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { ProblemText, problemSentence } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';

/** Who stands in while the person is away, and for whom the person does. */
export function StandIns() {
  const t = useT();
  const me = useMe();
  const rows = useDelegations();
  const end = useEndDelegation();
  const [open, setOpen] = useState(false);
  const columns: Column<Delegation>[] = [
    { key: 'who', header: t('settings.standin.who'), cell: (row) => <span className={classes.person}><span>{t('settings.standin.for', { name: row.to?.name ?? t('settings.standin.deputy'), other: row.person.id === me.id ? t('settings.standin.you') : row.person.name })}</span><small><Scope of={row} /></small></span> },
    { key: 'from', header: t('settings.standin.from'), width: 130, cell: (row) => <RelativeTime at={row.begins_at} /> },
    { key: 'until', header: t('settings.standin.until'), width: 130, cell: (row) => <RelativeTime at={row.ends_at} /> },
    {
      key: 'act', header: t('app.actions'), width: 100, align: 'end', quiet: true,
      cell: (row) => <Button size="xs" variant="subtle" aria-label={t('settings.standin.end_one', { name: row.to?.name ?? t('settings.standin.deputy') })} onClick={() => end.mutate(row.id, { onError: (error) => notifyProblem(problemSentence(error, t)) })}>{t('settings.standin.end')}</Button>,
    },
  ];
  return (
    <>
      <SectionHead
        title={t('settings.standin')}
        text={t('settings.standin.text')}
        action={<Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>{t('settings.standin.add')}</Button>}
      />
      <ListState query={rows} empty={<p className={classes.text}>{t('settings.standin.none')}</p>}>
        {(found) => <DataTable label={t('settings.standin')} columns={columns} rows={found} rowKey={(row) => row.id} />}
      </ListState>
      {open ? <Form onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function Scope({ of }: { of: Delegation }) {
  const t = useT();
  const said = [
    ...of.kinds.map((kind) => t(kind === 'exception' ? 'settings.standin.kind.exception' : 'settings.standin.kind.approval')),
    ...of.flows.map((flow) => flow.name),
    ...(of.amount_limit === null ? [] : [t('settings.standin.up_to', { label: of.amount_label, limit: Number(of.amount_limit) })]),
    ...(of.without_high_risk ? [t('settings.standin.no_high_risk')] : []),
  ];
  return <>{said.length > 0 ? said.join(' · ') : t('settings.standin.everything')}</>;
}

const local = (date: Date) => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function Form({ onClose }: { onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const delegate = useDelegate();
  const [key] = useState(() => crypto.randomUUID());
  const [given, setGiven] = useState(() => ({
    to: '', begins: local(new Date()), ends: local(new Date(Date.now() + 14 * 86_400_000)), kinds: new Array<string>(),
    label: '', limit: '', careful: false, reason: '',
  }));
  const change = (part: Partial<typeof given>) => setGiven((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    delegate.mutate(
      {
        key, to: given.to, begins_at: new Date(given.begins).toISOString(), ends_at: new Date(given.ends).toISOString(), kinds: given.kinds, flows: [],
        amount_label: given.label, amount_limit: given.limit === '' ? null : given.limit, without_high_risk: given.careful, reason: given.reason,
      },
      { onSuccess: () => { notifyDone(t('settings.standin.added')); onClose(); } },
    );
  };
  return (
    <Modal opened onClose={onClose} title={t('settings.standin.add')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <ChoosePerson required={false} label={t('settings.standin.to')} description={t('settings.standin.to_hint')} value={given.to} onChange={(to) => change({ to })} but={[me.email]} />
        <div className={classes.row}>
          <TextInput className={classes.grow} required type="datetime-local" label={t('settings.standin.from')} value={given.begins} onChange={(event) => change({ begins: event.currentTarget.value })} />
          <TextInput className={classes.grow} required type="datetime-local" label={t('settings.standin.until')} value={given.ends} onChange={(event) => change({ ends: event.currentTarget.value })} />
        </div>
        <MultiSelect
          label={t('settings.standin.kinds')}
          placeholder={given.kinds.length > 0 ? undefined : t('settings.standin.everything')}
          data={[{ value: 'approval', label: t('settings.standin.kind.approval') }, { value: 'fill_in', label: t('settings.standin.kind.fill_in') }, { value: 'exception', label: t('settings.standin.kind.exception') }]}
          value={given.kinds}
          onChange={(kinds) => change({ kinds })}
        />
        <div className={classes.row}>
          <TextInput className={classes.grow} maxLength={100} label={t('settings.standin.label')} description={t('settings.standin.label_hint')} value={given.label} onChange={(event) => change({ label: event.currentTarget.value })} />
          <NumberInput className={classes.grow} min={0} label={t('settings.standin.limit')} value={given.limit} onChange={(limit) => change({ limit: String(limit) })} />
        </div>
        <Checkbox label={t('settings.standin.careful')} checked={given.careful} onChange={(event) => change({ careful: event.currentTarget.checked })} />
        <Textarea autosize minRows={1} maxLength={1000} label={t('app.reason_optional')} value={given.reason} onChange={(event) => change({ reason: event.currentTarget.value })} />
        <ProblemText error={delegate.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={delegate.isPending}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
