import { Button, Checkbox, Modal, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useAddDestination, useChangeDestination } from '~/api/audit';
import type { DestinationDraft } from '~/api/audit';
import { newKey } from '~/api/client';
import { useRight } from '~/api/me';
import { useSecrets } from '~/api/settings';
import { DESTINATION_KINDS } from '~/api/types';
import type { TrailDestination } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Settings.module.css';

const EMPTY: DestinationDraft = { name: '', kind: 'http', address: '', secret: '', with_rows: true, with_checkpoints: true };

/** A log elsewhere: where it is, how it is spoken to, what it gets. */
export function LogForm({ log, onClose }: { log?: TrailDestination; onClose: () => void }) {
  const t = useT();
  const add = useAddDestination();
  const edit = useChangeDestination();
  const secrets = useSecrets(useRight('secrets.manage')).data?.results ?? [];
  const [key] = useState(newKey);
  const [draft, setDraft] = useState<DestinationDraft>(() => log ? { name: log.name, kind: log.kind, address: log.address, secret: log.secret, with_rows: log.with_rows, with_checkpoints: log.with_checkpoints } : EMPTY);
  const [fromStart, setFromStart] = useState(false);
  const change = (part: Partial<DestinationDraft>) => setDraft((before) => ({ ...before, ...part }));
  const isHttp = draft.kind === 'http';
  const done = { onSuccess: () => { notifyDone(t('settings.logs.saved')); onClose(); } };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = { ...draft, secret: isHttp ? draft.secret : '' };
    if (log) edit.mutate({ id: log.id, ...wanted }, done);
    else add.mutate({ ...wanted, from_start: fromStart, key }, done);
  };
  return (
    <Modal opened onClose={onClose} title={log ? t('settings.logs.edit') : t('settings.logs.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput data-autofocus required maxLength={100} label={t('settings.logs.name')} value={draft.name} onChange={(event) => change({ name: event.currentTarget.value })} />
        <Select allowDeselect={false} label={t('settings.logs.kind')} data={DESTINATION_KINDS.map((value) => ({ value, label: t(`settings.logs.kind.${value}`) }))} value={draft.kind} onChange={(kind) => change({ kind: DESTINATION_KINDS.find((one) => one === kind) ?? draft.kind })} description={draft.kind === 'syslog_udp' ? t('settings.logs.udp') : undefined} />
        <TextInput required maxLength={500} label={t('settings.logs.address')} description={isHttp ? t('settings.logs.address_http') : t('settings.logs.address_syslog')} value={draft.address} onChange={(event) => change({ address: event.currentTarget.value })} />
        {isHttp ? (
          <Select clearable label={t('settings.logs.secret')} description={t('settings.logs.secret_hint')} placeholder={t('settings.logs.no_secret')} data={secrets.map(({ name }) => name)} value={draft.secret || null} onChange={(name) => change({ secret: name ?? '' })} />
        ) : null}
        <fieldset className={classes.choices}>
          <legend>{t('settings.logs.what')}</legend>
          <Checkbox label={t('settings.logs.with_rows')} checked={draft.with_rows} onChange={(event) => change({ with_rows: event.currentTarget.checked })} />
          <Checkbox label={t('settings.logs.with_checkpoints')} checked={draft.with_checkpoints} onChange={(event) => change({ with_checkpoints: event.currentTarget.checked })} />
          {log ? null : <Checkbox label={t('settings.logs.from_start')} checked={fromStart} onChange={(event) => setFromStart(event.currentTarget.checked)} />}
        </fieldset>
        <ProblemText error={add.error ?? edit.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={add.isPending || edit.isPending} disabled={draft.name.trim() === '' || draft.address.trim() === '' || !(draft.with_rows || draft.with_checkpoints)}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
