import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import type { SearchSchemaInput } from '@tanstack/react-router';
import { PageSkeleton } from '~/ui/States';
import { NotFound, RouteError } from './RouteStates';
import { Shell } from './Shell';
import { Home } from './Home';

type Raw = Record<string, unknown> & SearchSchemaInput;

/** Keeps the named fields of the address, as text; everything else is dropped. */
function only<K extends string>(...names: K[]) {
  return (raw: Raw): Partial<Record<K, string>> => {
    const kept: Partial<Record<K, string>> = {};
    for (const name of names) {
      const value = raw[name];
      if (typeof value === 'string' && value !== '') kept[name] = value;
      if (typeof value === 'number' || typeof value === 'boolean') kept[name] = String(value);
    }
    return kept;
  };
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: RouteError });
const at = <P extends string>(path: P) => ({ getParentRoute: () => root, path }) as const;

const home = createRoute({ ...at('/'), component: Home });

const flows = createRoute({
  ...at('/flows'),
  validateSearch: only('search', 'state', 'new'),
  component: lazyRouteComponent(() => import('~/features/flows/FlowsPage'), 'FlowsPage'),
});
const flow = createRoute({
  ...at('/flows/$flowId'),
  component: lazyRouteComponent(() => import('~/features/flows/FlowPage'), 'FlowPage'),
});
const flowEditor = createRoute({
  getParentRoute: () => flow,
  path: '/',
  validateSearch: only('step', 'version', 'revision', 'panel'),
  component: lazyRouteComponent(() => import('~/features/editor/EditorPage'), 'EditorPage'),
});
const flowCompare = createRoute({
  getParentRoute: () => flow,
  path: 'compare',
  validateSearch: only('from', 'to'),
  component: lazyRouteComponent(() => import('~/features/editor/compare/ComparePage'), 'ComparePage'),
});
const flowRuns = createRoute({
  getParentRoute: () => flow,
  path: 'runs',
  validateSearch: only('status', 'from'),
  component: lazyRouteComponent(() => import('~/features/flows/FlowRuns'), 'FlowRuns'),
});
const flowAccess = createRoute({
  getParentRoute: () => flow,
  path: 'access',
  component: lazyRouteComponent(() => import('~/features/flows/FlowAccess'), 'FlowAccess'),
});

const runs = createRoute({
  ...at('/runs'),
  validateSearch: only('flow', 'status', 'from', 'stuck', 'parent', 'tests'),
  component: lazyRouteComponent(() => import('~/features/runs/RunsPage'), 'RunsPage'),
});
const run = createRoute({
  ...at('/runs/$runId'),
  validateSearch: only('step', 'tab', 'at'),
  component: lazyRouteComponent(() => import('~/features/runs/RunPage'), 'RunPage'),
});
const events = createRoute({
  ...at('/events'),
  validateSearch: only('type', 'state', 'from_outside', 'correlation', 'from', 'event'),
  component: lazyRouteComponent(() => import('~/features/events/EventsPage'), 'EventsPage'),
});
const inbox = createRoute({
  ...at('/inbox'),
  validateSearch: only('task', 'state', 'view', 'search', 'flow', 'requester'),
  component: lazyRouteComponent(() => import('~/features/inbox/InboxPage'), 'InboxPage'),
});
const requests = createRoute({
  ...at('/requests'),
  component: lazyRouteComponent(() => import('~/features/requests/RequestsPage'), 'RequestsPage'),
});
const newRequest = createRoute({
  ...at('/requests/new/$flowId'),
  component: lazyRouteComponent(() => import('~/features/requests/NewRequest'), 'NewRequest'),
});
const request = createRoute({
  ...at('/requests/$requestId'),
  component: lazyRouteComponent(() => import('~/features/requests/RequestPage'), 'RequestPage'),
});
const audit = createRoute({
  ...at('/audit'),
  validateSearch: only('actor', 'verb', 'target', 'search', 'flow', 'correlation', 'from', 'since', 'until', 'event'),
  component: lazyRouteComponent(() => import('~/features/audit/AuditPage'), 'AuditPage'),
});
const auditCheck = createRoute({
  ...at('/audit/check'),
  component: lazyRouteComponent(() => import('~/features/audit/CheckPage'), 'CheckPage'),
});
const auditEvidence = createRoute({
  ...at('/audit/evidence'),
  component: lazyRouteComponent(() => import('~/features/audit/EvidencePage'), 'EvidencePage'),
});
const settings = createRoute({
  ...at('/settings'),
  component: lazyRouteComponent(() => import('~/features/settings/SettingsPage'), 'SettingsPage'),
});
const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: '/',
  component: lazyRouteComponent(() => import('~/features/settings/SettingsPage'), 'FirstSection'),
});
const section = <P extends string, M extends Record<string, unknown>, K extends string & keyof M>(
  path: P,
  load: () => Promise<M>,
  name: K,
) => createRoute({ getParentRoute: () => settings, path, component: lazyRouteComponent(load as never, name as never) });
const settingsSections = [
  section('people', () => import('~/features/settings/PeoplePage'), 'PeoplePage'),
  section('teams', () => import('~/features/settings/TeamsPage'), 'TeamsPage'),
  section('secrets', () => import('~/features/settings/SecretsPage'), 'SecretsPage'),
  section('tokens', () => import('~/features/settings/TokensPage'), 'TokensPage'),
  section('hosts', () => import('~/features/settings/HostsPage'), 'HostsPage'),
  section('logs', () => import('~/features/settings/LogsPage'), 'LogsPage'),
  section('calendar', () => import('~/features/settings/CalendarPage'), 'CalendarPage'),
  section('chat', () => import('~/features/settings/ChatPage'), 'ChatPage'),
];
const account = createRoute({
  ...at('/account'),
  component: lazyRouteComponent(() => import('~/features/account/AccountPage'), 'AccountPage'),
});
const notifications = createRoute({
  ...at('/account/notifications'),
  component: lazyRouteComponent(() => import('~/features/account/NotificationsPage'), 'NotificationsPage'),
});

const routeTree = root.addChildren([
  home,
  flows,
  flow.addChildren([flowEditor, flowCompare, flowRuns, flowAccess]),
  runs,
  run,
  events,
  inbox,
  requests,
  newRequest,
  request,
  audit,
  auditCheck,
  auditEvidence,
  settings.addChildren([settingsIndex, ...settingsSections]),
  account,
  notifications,
]);

export function makeRouter() {
  return createRouter({
    routeTree,
    trailingSlash: 'always',
    defaultPreload: 'intent',
    defaultPendingComponent: PageSkeleton,
    defaultPendingMs: 300,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
    // The address carries plain words: ?status=failed, not ?status="failed".
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
      const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
      return text ? `?${text}` : '';
    },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
