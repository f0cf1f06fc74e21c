import { createContext, useEffect, useState } from 'react';
import { useIntl } from 'react-intl';
import type { IntlShape } from 'react-intl';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS: [limit: number, size: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [MINUTE, 1, 'second'],
  [HOUR, MINUTE, 'minute'],
  [DAY, HOUR, 'hour'],
  [7 * DAY, DAY, 'day'],
];

const DATE: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric' };
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** "20 Nov 2025, 12:45:03 CET", in the reader's zone (set on the provider). */
export const exactTime = (intl: IntlShape, at: string): string =>
  intl.formatDate(at, { ...DATE, ...CLOCK, second: '2-digit', timeZoneName: 'short' });

/** Where the flows stand; the reader's own zone is on the provider of words. Empty: nothing to add. */
export const FlowZone = createContext('');

/** The exact time, and beside it the same moment where the flows stand, if it reads otherwise there. */
export function exactHereAndThere(intl: IntlShape, at: string, zone: string): string {
  const here = exactTime(intl, at);
  if (!zone || zone === intl.timeZone) return here;
  const clock = { ...CLOCK, second: '2-digit', timeZone: zone } as const;
  // Zones that show the same clock are one to whoever reads it.
  if (intl.formatTime(at, clock) === intl.formatTime(at, { ...clock, timeZone: intl.timeZone })) return here;
  return `${here} · ${intl.formatDate(at, { ...DATE, ...clock, timeZoneName: 'short' })} (${zone.replaceAll('_', ' ')})`;
}

/** "20 Nov 2025, 12:45". */
export const shortTime = (intl: IntlShape, at: string): string => intl.formatDate(at, { ...DATE, ...CLOCK });

/** "3 minutes ago", "in 2 days"; the date when it is more than a week away. */
export function relativeTime(intl: IntlShape, at: string, now: number, justNow: string): string {
  const seconds = (Date.parse(at) - now) / 1000;
  if (Math.abs(seconds) < 10) return justNow;
  for (const [limit, size, unit] of STEPS) {
    if (Math.abs(seconds) < limit) {
      return intl.formatRelativeTime(Math.trunc(seconds / size), unit, { numeric: 'auto', style: 'long' });
    }
  }
  return intl.formatDate(at, DATE);
}

/** "340ms", "4.2s", "3m 20s", "2h 5m", "3d 4h"; long: "3 days 4 hours". */
export function duration(intl: IntlShape, ms: number, unitDisplay: 'narrow' | 'long' = 'narrow'): string {
  const unit = (value: number, name: string, digits = 0) =>
    intl.formatNumber(value, { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: digits });
  const pair = (big: string, small: string, size: number, total: number) => {
    const rest = Math.floor(total % size);
    const head = unit(Math.floor(total / size), big);
    return rest === 0 ? head : `${head} ${unit(rest, small)}`;
  };
  const seconds = ms / 1000;
  if (ms < 1000) return unit(Math.round(ms), 'millisecond');
  if (seconds < 10) return unit(seconds, 'second', 1);
  if (seconds < MINUTE) return unit(Math.floor(seconds), 'second');
  if (seconds < HOUR) return pair('minute', 'second', MINUTE, seconds);
  if (seconds < DAY) return pair('hour', 'minute', 60, seconds / MINUTE);
  return pair('day', 'hour', 24, seconds / HOUR);
}

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The time, again every `everyMs` (a second at least); one clock for the whole page. */
export function useNow(everyMs = 15_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    let last = Date.now();
    const tick = () => {
      if (Date.now() - last < everyMs - 50) return;
      last = Date.now();
      setNow(last);
    };
    listeners.add(tick);
    timer ??= setInterval(() => listeners.forEach((listener) => listener()), 1000);
    return () => {
      listeners.delete(tick);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, [everyMs]);
  return now;
}

export const useIntlTools = () => {
  const intl = useIntl();
  return {
    intl,
    exact: (at: string) => exactTime(intl, at),
    short: (at: string) => shortTime(intl, at),
    duration: (ms: number) => duration(intl, ms),
    words: (ms: number) => duration(intl, ms, 'long'),
  };
};
