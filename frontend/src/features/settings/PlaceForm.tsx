import { Button, Modal, Select, TextInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useIntl } from 'react-intl';
import { usePlaces, useSetPlace } from '~/api/people';
import type { Places } from '~/api/people';
import { useMembers } from '~/api/settings';
import type { Member } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { ErrorState, ListSkeleton } from '~/ui/States';
import classes from './Settings.module.css';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];

interface Props {
  member: Member;
  onClose: () => void;
}

/** Who leads a person, who stands in, where they belong: from a day on, with what was before. */
export function PlaceForm({ member, onClose }: Props) {
  const t = useT();
  const { data, error, refetch } = usePlaces(member.id);
  return (
    <Modal opened onClose={onClose} size="lg" title={t('settings.place.title', { name: member.name || member.email })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      {data ? <Fields member={member} places={data} onClose={onClose} /> : error ? <ErrorState bare error={error} retry={() => void refetch()} /> : <ListSkeleton rows={4} />}
    </Modal>
  );
}

function Fields({ member, places, onClose }: Props & { places: Places }) {
  const t = useT();
  const set = useSetPlace(member.id);
  const now = places.on;
  const [place, setPlace] = useState({
    from: places.today,
    manager: now?.manager?.id ?? null,
    deputy: now?.deputy?.id ?? null,
    department: now?.department ?? '',
    zone: now?.zone ?? '',
    language: places.language,
    reason: '',
  });
  const change = (part: Partial<typeof place>) => setPlace((before) => ({ ...before, ...part }));
  const people = (useMembers().data?.results ?? [])
    .filter((one) => one.is_active && one.id !== member.id)
    .map((one) => ({ value: one.id, label: one.name ? `${one.name} (${one.email})` : one.email }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate(place, { onSuccess: () => { notifyDone(t('settings.people.saved', { name: member.name || member.email })); onClose(); } });
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      <TextInput type="date" required label={t('settings.place.from')} description={t('settings.place.from_hint')} value={place.from} onChange={(event) => change({ from: event.currentTarget.value })} />
      <TextInput label={t('settings.place.department')} maxLength={100} value={place.department} onChange={(event) => change({ department: event.currentTarget.value })} />
      <Select searchable clearable limit={60} label={t('settings.place.manager')} data={people} value={place.manager} onChange={(manager) => change({ manager })} />
      <Select searchable clearable limit={60} label={t('settings.place.deputy')} description={t('settings.place.deputy_hint')} data={people} value={place.deputy} onChange={(deputy) => change({ deputy })} />
      <Select searchable clearable limit={60} label={t('settings.place.zone')} placeholder={t('settings.place.zone_none')} data={ZONES} value={place.zone || null} onChange={(zone) => change({ zone: zone ?? '' })} />
      <Select
        allowDeselect={false}
        label={t('settings.place.language')}
        data={[{ value: '', label: t('settings.place.language_browser') }, { value: 'en', label: t('settings.place.language_en') }, { value: 'de', label: t('settings.place.language_de') }]}
        value={place.language}
        onChange={(language) => change({ language: language ?? '' })}
      />
      <Textarea autosize minRows={1} maxLength={1000} label={t('app.reason_optional')} value={place.reason} onChange={(event) => change({ reason: event.currentTarget.value })} />
      <ProblemText error={set.error} />
      <div className={classes.buttons}>
        <Button onClick={onClose}>{t('app.cancel')}</Button>
        <Button type="submit" variant="filled" loading={set.isPending}>{t('app.save')}</Button>
      </div>
      <History places={places} />
    </form>
  );
}

/** What held from which day on, the newest first. */
function History({ places }: { places: Places }) {
  const t = useT();
  const intl = useIntl();
  const day = (text: string) => intl.formatDate(`${text}T00:00:00Z`, { dateStyle: 'medium', timeZone: 'UTC' });
  if (places.history.length === 0) return <p className={classes.text}>{t('settings.place.nothing')}</p>;
  return (
    <section aria-label={t('settings.place.history')}>
      <h3 className={classes.heading}>{t('settings.place.history')}</h3>
      <ul className={classes.plainList}>
        {[...places.history].reverse().map((one) => (
          <li key={one.from}>
            {t('settings.place.line', {
              day: day(one.from),
              department: one.department || t('app.none'),
              manager: one.manager?.name ?? t('app.none'),
              deputy: one.deputy?.name ?? t('app.none'),
            })}
          </li>
        ))}
      </ul>
    </section>
  );
}
