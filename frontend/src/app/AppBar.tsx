import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useHotkeys } from '@mantine/hooks';
import { useMe, useSwitchWorkspace } from '~/api/me';
import { useTaskCount } from '~/api/tasks';
import { IconCheck, IconInbox, IconSearch, IconSelector } from '~/ui/icons';
import { Alerts } from './Alerts';
import classes from './AppBar.module.css';
import { Count } from './Count';
import { Logo } from './Logo';
import { useT } from './messages';
import { PersonMenu } from './PersonMenu';

// Read only when somebody searches, so that the first page does not carry it.
const Search = lazy(() => import('./Search').then((module) => ({ default: module.Search })));

function WorkspaceSwitch() {
  const t = useT();
  const { workspace, workspaces } = useMe();
  const change = useSwitchWorkspace();
  if (workspaces.length < 2) return <span className={classes.workspace}>{workspace.name}</span>;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={classes.workspace} aria-label={t('app.workspace_switch', { name: workspace.name })}>
          {workspace.name}
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {workspaces.map(({ slug, name }) => (
          <Menu.Item
            key={slug}
            onClick={() => slug !== workspace.slug && change.mutate(slug)}
            rightSection={slug === workspace.slug ? <IconCheck size={16} aria-hidden /> : null}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function InboxBadge() {
  const t = useT();
  const open = useTaskCount().data?.open ?? 0;
  const label = t('app.inbox_open', { count: open });
  return (
    <Tooltip label={label}>
      <ActionIcon component={Link} to="/inbox/" aria-label={label} className={classes.inbox}>
        <span className={classes.glyph}>
          <IconInbox size={20} aria-hidden />
          <Count value={open} label="" />
        </span>
      </ActionIcon>
    </Tooltip>
  );
}

/** Workspace, search, inbox, alerts, person. */
export function AppBar() {
  const t = useT();
  const [searching, setSearching] = useState(false);
  const [wanted, setWanted] = useState(false);
  const search = () => {
    setWanted(true);
    setSearching(true);
  };
  useHotkeys([['mod+K', search]], []);
  return (
    <header className={classes.bar}>
      <Link to="/" className={classes.home} aria-label={t('app.home')}>
        <Logo />
      </Link>
      <WorkspaceSwitch />
      <UnstyledButton className={classes.search} onClick={search} aria-keyshortcuts="Control+K">
        <IconSearch size={16} aria-hidden />
        <span className={classes.searchText}>{t('app.search.open')}</span>
        <kbd className={classes.key} aria-hidden>{t('app.search.key')}</kbd>
      </UnstyledButton>
      <div className={classes.tools}>
        <InboxBadge />
        <Alerts />
        <PersonMenu />
      </div>
      {wanted ? (
        <Suspense fallback={null}>
          <Search opened={searching} onClose={() => setSearching(false)} />
        </Suspense>
      ) : null}
    </header>
  );
}
