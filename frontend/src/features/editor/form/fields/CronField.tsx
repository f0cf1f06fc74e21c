import { Chip, Input, NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useIntl } from 'react-intl';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { readCron, sayCron, writeCron } from '../cron';
import type { Spoken } from '../cron';
import classes from '../Form.module.css';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

const KINDS: Record<Spoken['kind'] | 'line', MessageId> = {
  minutes: 'editor.cron.minutes', hourly: 'editor.cron.hourly', daily: 'editor.cron.daily',
  weekly: 'editor.cron.weekly', monthly: 'editor.cron.monthly', line: 'editor.cron.line',
};
const FIRST: Record<Spoken['kind'], Spoken> = {
  minutes: { kind: 'minutes', every: 15 },
  hourly: { kind: 'hourly', minute: 0 },
  daily: { kind: 'daily', time: '09:00' },
  weekly: { kind: 'weekly', time: '09:00', days: [1, 2, 3, 4, 5] },
  monthly: { kind: 'monthly', time: '09:00', day: 1 },
};

/** Times in words; a cron line that has no such words is edited as it is. */
export function CronField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const line = typeof value === 'string' ? value : '';
  const spoken = readCron(line);
  const [asLine, setAsLine] = useState(false);
  const kind = asLine || !spoken ? 'line' : spoken.kind;
  const write = (next: Spoken) => form.set(path, writeCron(next));
  const choose = (next: string | null) => {
    setAsLine(next === 'line');
    if (next && next !== 'line') write(FIRST[next as Spoken['kind']]);
  };
  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={classes.rows}>
        <Select aria-label={field.title} disabled={disabled} allowDeselect={false} value={kind} onChange={choose} data={Object.entries(KINDS).map(([one, label]) => ({ value: one, label: t(label) }))} />
        {kind === 'line' || !spoken ? (
          <TextInput aria-label={t('editor.cron.line')} description={t('editor.cron.line_help')} disabled={disabled} value={line} onChange={(event) => form.set(path, event.currentTarget.value)} onBlur={form.settle} />
        ) : (
          <Parts spoken={spoken} disabled={disabled} write={write} />
        )}
        {spoken ? <Said spoken={spoken} zone={form.current()['zone']} /> : null}
      </div>
    </Input.Wrapper>
  );
}

/** The times as one says them: "every weekday 09:00, Berlin". */
function Said({ spoken, zone }: { spoken: Spoken; zone: unknown }) {
  const t = useT();
  const intl = useIntl();
  return <p className={classes.hint} role="status">{sayCron(spoken, zone, t, intl)}</p>;
}

function Parts({ spoken, disabled, write }: { spoken: Spoken; disabled: boolean; write: (next: Spoken) => void }) {
  const t = useT();
  const number = (label: string, value: number, most: number, change: (next: number) => Spoken, least = 1) => (
    <NumberInput label={label} disabled={disabled} min={least} max={most} allowDecimal={false} value={value} onChange={(next) => { if (typeof next === 'number') write(change(next)); }} />
  );
  if (spoken.kind === 'minutes') return number(t('editor.cron.every'), spoken.every, 59, (every) => ({ ...spoken, every }));
  if (spoken.kind === 'hourly') return number(t('editor.cron.minute'), spoken.minute, 59, (minute) => ({ ...spoken, minute }), 0);
  return (
    <>
      {spoken.kind === 'weekly' ? <Days days={spoken.days} disabled={disabled} onChange={(days) => { if (days.length > 0) write({ ...spoken, days }); }} /> : null}
      {spoken.kind === 'monthly' ? number(t('editor.cron.day'), spoken.day, 31, (day) => ({ ...spoken, day })) : null}
      <TextInput type="time" label={t('editor.cron.at')} disabled={disabled} value={spoken.time} onChange={(event) => { if (event.currentTarget.value) write({ ...spoken, time: event.currentTarget.value }); }} />
    </>
  );
}

const WEEK = [1, 2, 3, 4, 5, 6, 0];
/** 2023-01-01 was a Sunday. */
const dayOf = (day: number) => new Date(Date.UTC(2023, 0, 1 + day));

function Days({ days, disabled, onChange }: { days: number[]; disabled: boolean; onChange: (days: number[]) => void }) {
  const t = useT();
  const intl = useIntl();
  return (
    <div className={classes.days} role="group" aria-label={t('editor.cron.days')}>
      {WEEK.map((day) => (
        <Chip key={day} size="xs" disabled={disabled} checked={days.includes(day)} onChange={(on) => onChange(on ? [...days, day] : days.filter((one) => one !== day))}>
          {intl.formatDate(dayOf(day), { weekday: 'short', timeZone: 'UTC' })}
        </Chip>
      ))}
    </div>
  );
}

/** A time zone by its name, found by typing. */
export function ZoneField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
  const current = typeof value === 'string' ? value : null;
  return (
    <Select {...frame} searchable limit={60} allowDeselect={false} data={current && !zones.includes(current) ? [current, ...zones] : zones} value={current} onChange={(next) => form.set(path, next ?? 'UTC')} />
  );
}
