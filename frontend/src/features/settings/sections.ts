import { useRouterState } from '@tanstack/react-router';
import { useMe } from '~/api/me';
import type { Right } from '~/api/types';
import type { MessageId } from '~/app/messages';
import { IconCalendarTime, IconKey, IconLock, IconMessage, IconServerCog, IconUser, IconUsersGroup, IconWorld } from '~/ui/icons';
import type { Icon } from '~/ui/icons';

interface Section {
  to: '/settings/people/' | '/settings/teams/' | '/settings/secrets/' | '/settings/tokens/' | '/settings/hosts/' | '/settings/logs/' | '/settings/calendar/' | '/settings/chat/';
  label: MessageId;
  icon: Icon;
  rights: Right[];
}

const SECTIONS: Section[] = [
  { to: '/settings/people/', label: 'settings.people', icon: IconUser, rights: ['people.manage', 'roles.manage'] },
  { to: '/settings/teams/', label: 'settings.teams', icon: IconUsersGroup, rights: ['people.manage', 'roles.manage'] },
  { to: '/settings/secrets/', label: 'settings.secrets', icon: IconLock, rights: ['secrets.manage'] },
  { to: '/settings/tokens/', label: 'settings.tokens', icon: IconKey, rights: ['tokens.manage'] },
  { to: '/settings/hosts/', label: 'settings.hosts', icon: IconWorld, rights: ['hosts.manage'] },
  { to: '/settings/logs/', label: 'settings.logs', icon: IconServerCog, rights: ['settings.manage', 'audit.view'] },
  { to: '/settings/calendar/', label: 'settings.calendar', icon: IconCalendarTime, rights: ['settings.manage'] },
  { to: '/settings/chat/', label: 'settings.chat', icon: IconMessage, rights: ['settings.manage'] },
];

/** The part at this address, where the person's rights do not open it. */
export function useClosedSection(): Section | undefined {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const open = useSections();
  return SECTIONS.find((section) => path.startsWith(section.to) && !open.includes(section));
}

/** The parts of the settings that the person's rights open. */
export function useSections(): Section[] {
  const { rights } = useMe();
  return SECTIONS.filter((section) => section.rights.some((right) => rights.includes(right)));
}
