import { Button } from '@mantine/core';
import { useEndSessions, useSessions } from '~/api/me';
import type { Session } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { SectionHead } from '~/features/settings/SectionHead';
import { ListState } from '~/features/settings/ListState';
import classes from '~/features/settings/Settings.module.css';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { problemSentence } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';

const BROWSERS = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
const SYSTEMS = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux'];
const SAID: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS': 'macOS' };

/** "Firefox on Linux" out of what a browser says of itself. */
export function browserName(agent: string, t: Translate): string {
  const find = (names: string[]) => names.find((name) => agent.includes(name));
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (!browser) return agent.slice(0, 40) || t('settings.account.unknown_browser');
  const said = (name: string) => SAID[name] ?? name;
  return system ? t('settings.account.browser_on', { browser: said(browser), system: said(system) }) : said(browser);
}

/** Where the person is signed in, and the way to end it. */
export function Sessions() {
  const t = useT();
  const sessions = useSessions();
  const end = useEndSessions();
  const finish = (id?: string) =>
    end.mutate(id, { onSuccess: () => id ?? notifyDone(t('settings.account.ended')), onError: (error) => notifyProblem(problemSentence(error, t)) });
  const columns: Column<Session>[] = [
    {
      key: 'browser', header: t('settings.account.browser'),
      cell: (row) => <span className={classes.person}>{browserName(row.user_agent, t)} {row.current ? <small>{t('settings.account.this')}</small> : null}</span>,
    },
    { key: 'ip', header: t('settings.account.address'), cell: (row) => row.ip },
    { key: 'seen', header: t('settings.account.last_seen'), width: 140, cell: (row) => <RelativeTime at={row.last_seen_at} /> },
    {
      key: 'act', header: t('app.actions'), width: 110, align: 'end', quiet: true,
      cell: (row) => row.current ? null : (
        <Button size="xs" variant="subtle" aria-label={t('settings.account.end_one', { name: browserName(row.user_agent, t) })} onClick={() => finish(row.id)}>{t('settings.account.end')}</Button>
      ),
    },
  ];
  const others = (sessions.data?.results.length ?? 0) > 1;
  return (
    <>
      <SectionHead
        title={t('settings.account.sessions')}
        text={t('settings.account.sessions_hint')}
        action={others ? <Button loading={end.isPending && end.variables === undefined} onClick={() => finish()}>{t('settings.account.end_all')}</Button> : null}
      />
      <ListState query={sessions} empty={null}>
        {(rows) => <DataTable label={t('settings.account.sessions')} columns={columns} rows={rows} rowKey={(row) => row.id} />}
      </ListState>
    </>
  );
}
