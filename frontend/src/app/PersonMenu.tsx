import { Menu, SegmentedControl, UnstyledButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { csrfToken } from '~/api/client';
import { useChangeMe, useMe } from '~/api/me';
import type { Theme } from '~/api/types';
import { IconLogout, IconUserCircle } from '~/ui/icons';
import { useT } from './messages';
import classes from './PersonMenu.module.css';

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => Array.from(word ?? '')[0] ?? '').join('').toUpperCase();
}

/** A form of its own, since leaving is the server's page and must be a POST. */
function signOut() {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/sign-out/';
  const token = document.createElement('input');
  token.type = 'hidden';
  token.name = 'csrfmiddlewaretoken';
  token.value = csrfToken();
  form.append(token);
  document.body.append(form);
  form.submit();
}

export function PersonMenu() {
  const t = useT();
  const me = useMe();
  const change = useChangeMe();
  return (
    <Menu width={256}>
      <Menu.Target>
        <UnstyledButton className={classes.person} aria-label={t('app.person.menu', { name: me.name || me.email })}>
          <span className={classes.disc} aria-hidden>{initials(me.name || me.email)}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.who}>
          <strong>{me.name || me.email}</strong>
          <span>{me.email}</span>
        </div>
        <Menu.Divider />
        <div className={classes.theme}>
          <SegmentedControl
            fullWidth
            aria-label={t('app.theme.label')}
            value={me.theme || 'auto'}
            onChange={(theme) => change.mutate({ theme: theme as Theme })}
            data={[
              { value: 'auto', label: t('app.theme.auto') },
              { value: 'light', label: t('app.theme.light') },
              { value: 'dark', label: t('app.theme.dark') },
            ]}
          />
        </div>
        <Menu.Divider />
        <Menu.Item component={Link} to="/account/" leftSection={<IconUserCircle size={16} aria-hidden />}>
          {t('app.person.account')}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          {t('app.person.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
