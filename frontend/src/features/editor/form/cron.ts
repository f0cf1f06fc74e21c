import type { IntlShape } from 'react-intl';
import type { Translate } from '~/app/messages';

/** Five cron fields as a person says them, where they have such a form; else `null`. */
export type Spoken =
  | { kind: 'minutes'; every: number }
  | { kind: 'hourly'; minute: number }
  | { kind: 'daily'; time: string }
  | { kind: 'weekly'; time: string; days: number[] }
  | { kind: 'monthly'; time: string; day: number };

const WHOLE = /^\d+$/;
const number = (text: string | undefined, least: number, most: number): number | null => {
  if (text === undefined || !WHOLE.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
};

/** Days of the week, Sunday 0: `1-5`, `1,3,5`. */
function readDays(text: string): number[] | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [from, to] = part.split('-');
    const first = number(from, 0, 7);
    const last = to === undefined ? first : number(to, 0, 7);
    if (first === null || last === null || last < first) return null;
    for (let day = first; day <= last; day += 1) days.add(day % 7);
  }
  return [...days].sort((a, b) => a - b);
}

export function readCron(cron: string): Spoken | null {
  const parts = cron.trim().split(/\s+/);
  if (parts.length !== 5) return null;
  const [minuteText = '', hourText = '', day = '', month = '', weekday = ''] = parts;
  if (month !== '*') return null;
  const everyDay = day === '*' && weekday === '*';
  const every = /^\*\/(\d+)$/.exec(minuteText);
  if (every && hourText === '*' && everyDay) return { kind: 'minutes', every: Number(every[1]) };
  const minute = number(minuteText, 0, 59);
  if (minute === null) return null;
  if (hourText === '*' && everyDay) return { kind: 'hourly', minute };
  const hour = number(hourText, 0, 23);
  if (hour === null) return null;
  const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
  if (everyDay) return { kind: 'daily', time };
  if (day === '*') {
    const days = readDays(weekday);
    return days && { kind: 'weekly', time, days };
  }
  const monthDay = number(day, 1, 31);
  return weekday === '*' && monthDay !== null ? { kind: 'monthly', time, day: monthDay } : null;
}

const clock = (time: string): [hour: number, minute: number] => {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return [hour || 0, minute || 0];
};

function writeDays(days: number[]): string {
  const sorted = [...days].sort((a, b) => a - b);
  const first = sorted[0] ?? 1;
  const last = sorted.at(-1) ?? first;
  return sorted.length > 2 && last - first === sorted.length - 1 ? `${first}-${last}` : sorted.join(',');
}

export function writeCron(spoken: Spoken): string {
  switch (spoken.kind) {
    case 'minutes':
      return `*/${spoken.every} * * * *`;
    case 'hourly':
      return `${spoken.minute} * * * *`;
    case 'daily': {
      const [hour, minute] = clock(spoken.time);
      return `${minute} ${hour} * * *`;
    }
    case 'weekly': {
      const [hour, minute] = clock(spoken.time);
      return `${minute} ${hour} * * ${writeDays(spoken.days)}`;
    }
    case 'monthly': {
      const [hour, minute] = clock(spoken.time);
      return `${minute} ${hour} ${spoken.day} * *`;
    }
  }
}

const WORKING = '1,2,3,4,5';
const EVERY_DAY = 7;
/** 2023-01-01 was a Sunday. */
const weekday = (day: number) => new Date(Date.UTC(2023, 0, 1 + day));

/** The city of a time zone: "Berlin" for `Europe/Berlin`. */
export const placeOf = (zone: unknown): string => (typeof zone === 'string' && zone !== '' ? (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ') : 'UTC');

/** The times as one says them: "every weekday 09:00, Berlin". */
export function sayCron(spoken: Spoken, zone: unknown, t: Translate, intl: IntlShape): string {
  const place = placeOf(zone);
  switch (spoken.kind) {
    case 'minutes':
      return t('editor.cron.said_minutes', { every: spoken.every, place });
    case 'hourly':
      return t('editor.cron.said_hourly', { minute: spoken.minute, place });
    case 'daily':
      return t('editor.cron.said_daily', { time: spoken.time, place });
    case 'weekly': {
      if (spoken.days.join(',') === WORKING) return t('editor.cron.said_weekdays', { time: spoken.time, place });
      if (spoken.days.length === EVERY_DAY) return t('editor.cron.said_daily', { time: spoken.time, place });
      const days = [...spoken.days.filter(Boolean), ...spoken.days.filter((day) => day === 0)].map((day) => intl.formatDate(weekday(day), { weekday: 'long', timeZone: 'UTC' }));
      return t('editor.cron.said_weekly', { days: intl.formatList(days), time: spoken.time, place });
    }
    case 'monthly':
      return t('editor.cron.said_monthly', { day: spoken.day, time: spoken.time, place });
  }
}
