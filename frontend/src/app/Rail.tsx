import { Link } from '@tanstack/react-router';
import { useMe } from '~/api/me';
import { useTaskCount } from '~/api/tasks';
import type { Right } from '~/api/types';
import { IconForms, IconInbox, IconPlayerPlay, IconSettings, IconShieldCheck, IconSitemap } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { Count } from './Count';
import { useT } from './messages';
import type { MessageId } from './messages';
import classes from './Rail.module.css';

export interface Place {
  to: '/flows/' | '/runs/' | '/inbox/' | '/requests/' | '/audit/' | '/settings/';
  label: MessageId;
  icon: Icon;
  /** Any of these opens it; none named: everybody. */
  rights: Right[];
  /** A page that is reached from it, and opened by the same rights. */
  also?: string;
}

export const PLACES: Place[] = [
  { to: '/flows/', label: 'app.nav.flows', icon: IconSitemap, rights: ['flow.view', 'flow.create'] },
  { to: '/runs/', label: 'app.nav.runs', icon: IconPlayerPlay, rights: ['run.view', 'flow.view'], also: '/events/' },
  { to: '/inbox/', label: 'app.nav.inbox', icon: IconInbox, rights: [] },
  { to: '/requests/', label: 'app.nav.requests', icon: IconForms, rights: ['request.make'] },
  { to: '/audit/', label: 'app.nav.audit', icon: IconShieldCheck, rights: ['audit.view'] },
  {
    to: '/settings/',
    label: 'app.nav.settings',
    icon: IconSettings,
    rights: ['people.manage', 'roles.manage', 'settings.manage', 'secrets.manage', 'hosts.manage', 'tokens.manage'],
  },
];

export function usePlaces(): Place[] {
  const { rights } = useMe();
  return PLACES.filter((place) => place.rights.length === 0 || place.rights.some((right) => rights.includes(right)));
}

/** The rights of which the page at an address needs one; none where the person has it. */
export function useLacking(path: string): Right[] {
  const { rights } = useMe();
  const place = PLACES.find((one) => path.startsWith(one.to) || (one.also !== undefined && path.startsWith(one.also)));
  return !place || place.rights.some((right) => rights.includes(right)) ? [] : place.rights;
}

/** Where one can go: only what the person's rights open. At the bottom on a phone. */
export function Rail() {
  const t = useT();
  const open = useTaskCount().data?.open ?? 0;
  return (
    <nav className={classes.rail} aria-label={t('app.nav.label')}>
      {usePlaces().map(({ to, label, icon: Glyph }) => (
        <Link key={to} to={to} className={classes.place} activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
          <span className={classes.icon}>
            <Glyph size={20} aria-hidden />
            {to === '/inbox/' ? <span className={classes.count}><Count value={open} label={t('app.inbox_open', { count: open })} /></span> : null}
          </span>
          {t(label)}
        </Link>
      ))}
    </nav>
  );
}
