import { ActionIcon, Button, Select, TextInput, Tooltip } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useIntl } from 'react-intl';
import { useDropOwnCalendar, useOwnCalendar, useSaveOwnCalendar } from '~/api/people';
import type { CalendarOf, OwnCalendar } from '~/api/people';
import { useMembers, useTeams } from '~/api/settings';
import type { WorkingCalendar, WorkingSpan } from '~/api/types';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import { notifyDone } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import { ErrorState, ListSkeleton } from '~/ui/States';
import classes from './Calendar.module.css';
import { SectionHead } from './SectionHead';
import settings from './Settings.module.css';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
/** 2024-01-01 was a Monday. */
const dayOf = (day: number) => new Date(Date.UTC(2024, 0, 1 + day));
const swapped = <T,>(list: T[], at: number, next: T) => list.map((one, index) => (index === at ? next : one));
const without = <T,>(list: T[], at: number) => list.filter((_, index) => index !== at);

/** When people work and which days are off: waits and limits in working time go by it. */
export function CalendarPage() {
  const t = useT();
  const [whose, setWhose] = useState<CalendarOf>('calendar/');
  const { data, error, refetch } = useOwnCalendar(whose);
  return (
    <>
      <SectionHead title={t('settings.calendar')} text={t('settings.calendar.text')} />
      <Whose value={whose} onChange={setWhose} />
      {data ? <CalendarForm key={whose} kept={data} whose={whose} /> : error ? <ErrorState error={error} retry={() => void refetch()} /> : <ListSkeleton rows={7} />}
    </>
  );
}

/** The workspace's calendar, or that of one team or person. */
function Whose({ value, onChange }: { value: CalendarOf; onChange: (next: CalendarOf) => void }) {
  const t = useT();
  const teams = (useTeams().data?.results ?? []).filter((team) => team.kind !== 'role');
  const people = (useMembers().data?.results ?? []).filter((one) => one.is_active);
  return (
    <Select
      searchable
      limit={60}
      allowDeselect={false}
      label={t('settings.calendar.whose')}
      value={value}
      onChange={(next) => onChange((next as CalendarOf | null) ?? 'calendar/')}
      data={[
        { value: 'calendar/', label: t('settings.calendar.workspace') },
        ...teams.map((team) => ({ value: `teams/${team.id}/calendar/`, label: t('settings.calendar.team', { name: team.name }) })),
        ...people.map((one) => ({ value: `members/${one.id}/calendar/`, label: one.name ? `${one.name} (${one.email})` : one.email })),
      ]}
    />
  );
}

function CalendarForm({ kept, whose }: { kept: OwnCalendar; whose: CalendarOf }) {
  const t = useT();
  const save = useSaveOwnCalendar(whose);
  const drop = useDropOwnCalendar(whose);
  const ofOne = whose !== 'calendar/';
  const [calendar, setCalendar] = useState<WorkingCalendar>({ zone: kept.zone, hours: kept.hours, holidays: kept.holidays });
  const change = (part: Partial<WorkingCalendar>) => setCalendar((before) => ({ ...before, ...part }));
  const { zone, hours, holidays } = calendar;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(calendar, { onSuccess: ({ zone: saved, hours: times, holidays: days }) => { setCalendar({ zone: saved, hours: times, holidays: days }); notifyDone(t('settings.calendar.saved')); } });
  };
  return (
    <form onSubmit={submit} className={settings.form}>
      {ofOne && !kept.own ? <p className={settings.text}>{t('settings.calendar.not_own')}</p> : null}
      <Panel title={t('settings.calendar.hours')}>
        <div className={settings.form}>
          <Select searchable limit={60} allowDeselect={false} label={t('settings.calendar.zone')} data={ZONES.includes(zone) ? ZONES : [zone, ...ZONES]} value={zone} onChange={(next) => change({ zone: next ?? zone })} />
          <ul className={classes.list}>
            {hours.map((spans, day) => <Day key={day} day={day} spans={spans} onChange={(next) => change({ hours: swapped(hours, day, next) })} />)}
          </ul>
        </div>
      </Panel>
      <Panel title={t('settings.calendar.holidays')}>
        <div className={settings.form}>
          {holidays.length === 0 ? <p className={settings.text}>{t('settings.calendar.no_holidays')}</p> : null}
          <ul className={classes.list}>
            {holidays.map((one, index) => (
              <li key={index} className={classes.line}>
                <TextInput type="date" required aria-label={t('settings.calendar.date')} value={one.date} onChange={(event) => change({ holidays: swapped(holidays, index, { ...one, date: event.currentTarget.value }) })} />
                <TextInput className={settings.grow} maxLength={100} aria-label={t('settings.calendar.name')} placeholder={t('settings.calendar.name')} value={one.name} onChange={(event) => change({ holidays: swapped(holidays, index, { ...one, name: event.currentTarget.value }) })} />
                <Remove label={t('settings.calendar.remove_day', { name: one.name || one.date })} onClick={() => change({ holidays: without(holidays, index) })} />
              </li>
            ))}
          </ul>
          <div>
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => change({ holidays: [...holidays, { date: '', name: '' }] })}>{t('settings.calendar.add_day')}</Button>
          </div>
        </div>
      </Panel>
      <ProblemText error={save.error} />
      <div className={settings.buttons}>
        {ofOne && kept.own ? <Button loading={drop.isPending} onClick={() => drop.mutate(undefined)}>{t('settings.calendar.drop')}</Button> : null}
        <Button type="submit" variant="filled" loading={save.isPending} disabled={(!ofOne || kept.own) && JSON.stringify(calendar) === JSON.stringify({ zone: kept.zone, hours: kept.hours, holidays: kept.holidays })}>{t('app.save')}</Button>
      </div>
    </form>
  );
}

function Day({ day, spans, onChange }: { day: number; spans: WorkingSpan[]; onChange: (spans: WorkingSpan[]) => void }) {
  const t = useT();
  const intl = useIntl();
  const name = intl.formatDate(dayOf(day), { weekday: 'long', timeZone: 'UTC' });
  const last = spans.at(-1);
  // Midnight is 24:00 at the end of a day; a field for times only knows 00:00.
  const end = (time: string) => (time === '00:00' ? '24:00' : time);
  const start = last === undefined || last.to === '24:00' ? '09:00' : last.to;
  return (
    <li className={classes.day}>
      <span className={classes.name}>{name}</span>
      <div className={classes.spans}>
        {spans.length === 0 ? <span className={classes.off}>{t('settings.calendar.off')}</span> : null}
        {spans.map((span, index) => (
          <div key={index} className={classes.line}>
            <TextInput type="time" required aria-label={t('settings.calendar.from', { day: name })} value={span.from} onChange={(event) => onChange(swapped(spans, index, { ...span, from: event.currentTarget.value }))} />
            <span aria-hidden>–</span>
            <TextInput type="time" required aria-label={t('settings.calendar.to', { day: name })} value={span.to === '24:00' ? '00:00' : span.to} onChange={(event) => onChange(swapped(spans, index, { ...span, to: end(event.currentTarget.value) }))} />
            <Remove label={t('settings.calendar.remove_hours', { day: name, from: span.from })} onClick={() => onChange(without(spans, index))} />
          </div>
        ))}
      </div>
      <Tooltip label={t('settings.calendar.add_hours', { day: name })}>
        <ActionIcon aria-label={t('settings.calendar.add_hours', { day: name })} onClick={() => onChange([...spans, { from: start, to: start < '17:00' ? '17:00' : '24:00' }])}><IconPlus size={16} aria-hidden /></ActionIcon>
      </Tooltip>
    </li>
  );
}

function Remove({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick}><IconTrash size={16} aria-hidden /></ActionIcon>
    </Tooltip>
  );
}
