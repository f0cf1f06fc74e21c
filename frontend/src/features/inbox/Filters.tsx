import { Button, Menu, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useForgetFilter, useKeepFilter, useKeptFilters } from '~/api/tasks';
import type { TaskFilter } from '~/api/tasks';
import { useT } from '~/app/messages';
import form from '~/features/settings/Settings.module.css';
import { IconDeviceFloppy, IconFilter, IconTrash } from '~/ui/icons';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Views.module.css';

interface Props {
  /** What the list shows now. */
  filter: TaskFilter;
  onChoose: (filter: TaskFilter) => void;
}

/** Filters under a name of one's own: choose one, keep what is shown, forget one. */
export function Filters({ filter, onChoose }: Props) {
  const t = useT();
  const kept = useKeptFilters().data?.results ?? [];
  const forget = useForgetFilter();
  const [naming, setNaming] = useState(false);
  const same = (one: TaskFilter) => JSON.stringify(tidy(one)) === JSON.stringify(tidy(filter));
  const current = kept.find((one) => same(one.filter));
  const isNarrow = Object.keys(tidy(filter)).length > 0;
  if (kept.length === 0 && !isNarrow) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" size="xs" leftSection={<IconFilter size={16} aria-hidden />}>{current?.name ?? t('inbox.filters')}</Button>
        </Menu.Target>
        <Menu.Dropdown className={classes.menu}>
          {kept.map((one) => <Menu.Item key={one.id} onClick={() => onChoose(one.filter)}>{one.name}</Menu.Item>)}
          {kept.length > 0 && isNarrow ? <Menu.Divider /> : null}
          {isNarrow && !current ? (
            <Menu.Item leftSection={<IconDeviceFloppy size={16} aria-hidden />} onClick={() => setNaming(true)}>{t('inbox.filters.keep')}</Menu.Item>
          ) : null}
          {isNarrow ? <Menu.Item onClick={() => onChoose({})}>{t('inbox.filters.none')}</Menu.Item> : null}
          {current ? (
            <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => forget.mutate(current.id, { onSuccess: () => notifyDone(t('inbox.filters.forgotten', { name: current.name })) })}>
              {t('inbox.filters.forget', { name: current.name })}
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      {naming ? <NameFilter filter={tidy(filter)} onClose={() => setNaming(false)} /> : null}
    </>
  );
}

const tidy = ({ view, search, flow, requester }: TaskFilter): TaskFilter => ({
  ...(view && view !== 'all' ? { view } : {}),
  ...(search ? { search } : {}),
  ...(flow ? { flow } : {}),
  ...(requester ? { requester } : {}),
});

function NameFilter({ filter, onClose }: { filter: TaskFilter; onClose: () => void }) {
  const t = useT();
  const keep = useKeepFilter();
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep.mutate({ name, filter }, { onSuccess: () => { notifyDone(t('inbox.filters.kept', { name: name.trim() })); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('inbox.filters.keep')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={form.form}>
        <TextInput data-autofocus required maxLength={60} label={t('inbox.filters.name')} description={t('inbox.filters.name_hint')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <ProblemText error={keep.error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={keep.isPending} disabled={!name.trim()}>{t('inbox.filters.keep_now')}</Button>
        </div>
      </form>
    </Modal>
  );
}
