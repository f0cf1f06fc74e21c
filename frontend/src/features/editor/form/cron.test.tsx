import { render, screen } from '@testing-library/react';
import { useIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { Foundations } from '~/app/App';
import { useT } from '~/app/messages';
import { placeOf, readCron, sayCron, writeCron } from './cron';

function Said({ cron, zone }: { cron: string; zone: unknown }) {
  const t = useT();
  const intl = useIntl();
  const spoken = readCron(cron);
  return <p>{spoken ? sayCron(spoken, zone, t, intl) : 'none'}</p>;
}

describe('a schedule in words', () => {
  it.each([
    ['0 9 * * 1-5', 'Europe/Berlin', 'every weekday 09:00, Berlin'],
    ['*/15 * * * *', 'UTC', 'every 15 minutes, UTC'],
    ['30 * * * *', '', 'every hour at minute 30, UTC'],
    ['5 17 * * *', 'America/New_York', 'every day 17:05, New York'],
    ['0 8 * * 0,3', 'Europe/Berlin', 'every Wednesday and Sunday 08:00, Berlin'],
    ['0 8 * * 0-6', 'Europe/Berlin', 'every day 08:00, Berlin'],
    ['0 8 1 * *', 'Europe/Berlin', 'on day 1 of every month 08:00, Berlin'],
    ['0 8 1 1 *', 'Europe/Berlin', 'none'],
  ])('%s in %s', (cron, zone, words) => {
    render(<Foundations><Said cron={cron} zone={zone} /></Foundations>);
    expect(screen.getByText(words)).toBeTruthy();
  });

  it('comes back as the line it was read from', () => {
    for (const cron of ['*/5 * * * *', '7 * * * *', '30 6 * * *', '0 9 * * 1-5', '0 9 * * 0,6', '15 23 31 * *']) {
      const spoken = readCron(cron);
      expect(spoken && writeCron(spoken)).toBe(cron);
    }
    expect(placeOf(undefined)).toBe('UTC');
  });
});
