/** How the person is told, as the server says it, for the pages of notifications. */
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (n: number) => `019a2f3c-7d4e-7a10-8f01-${String(n).padStart(12, '0')}`;
const list = (results: unknown[]) => ({ results, next: null, previous: null });

const EVERY = ['all', 'urgent', 'never'];
const offered = (...groups: string[]) => Object.fromEntries(groups.map((group) => [group, EVERY]));
const ALL = { tasks: 'all', limits: 'all', talk: 'all', alerts: 'all' };

export const TOLD = {
  choices: { mail: { ...ALL, talk: 'digest' }, app: { tasks: 'all', limits: 'all', talk: 'all' }, push: { ...ALL, alerts: 'urgent' }, chat: { ...ALL, alerts: 'never' } },
  offered: {
    mail: Object.fromEntries(['tasks', 'limits', 'talk', 'alerts'].map((group) => [group, ['all', 'urgent', 'digest', 'never']])),
    app: offered('tasks', 'limits', 'talk'),
    push: offered('tasks', 'limits', 'talk', 'alerts'),
    chat: offered('tasks', 'limits', 'talk', 'alerts'),
  },
  quiet: { begins: '22:00', ends: '07:00' },
  digest_at: '08:00',
  zone: 'Europe/Berlin',
  browsers: [{ id: id(1), user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', host: 'push.example.net', created_at: ago(9000) }],
  chat: { host: 'hooks.chat.example.com' },
  push_key: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
};

export const UNTOLD = { ...TOLD, choices: { mail: ALL, app: { tasks: 'all', limits: 'all', talk: 'all' }, push: ALL, chat: ALL }, quiet: null, digest_at: null, browsers: [], chat: null };

const delivery = (n: number, state: string, more: object = {}) => ({
  id: id(n), kind: 'decide', title: 'To decide: Approve Blue Harbor as a vendor?', path: `/inbox/${id(90)}/`, channel: 'mail', state,
  held_until: null, attempts: 1, error: '', created_at: ago(n * 7), tried_at: null, ended_at: null, ...more,
});

export const deliveries = (long: string) =>
  list([
    delivery(11, 'waiting', { attempts: 3, error: 'The mail server is away (ConnectionRefusedError).' }),
    delivery(12, 'held', { channel: 'push', attempts: 0, held_until: ago(-300) }),
    delivery(13, 'digest', { attempts: 0, held_until: ago(-600), title: long }),
    delivery(14, 'sent', { channel: 'app' }),
    delivery(15, 'failed', { channel: 'chat', attempts: 18, error: 'The chat refused it with 404; check its address.' }),
    delivery(16, 'dropped', { attempts: 0 }),
  ]);

export const CHAT = { chat: { host: 'hooks.chat.example.com', with_titles: false, groups: ['tasks', 'limits'] } };
