import { Popover, SegmentedControl, UnstyledButton } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { csrfToken } from '~/api/client';
import { useChangeMe, useMe, useRight } from '~/api/me';
import { useTour } from '~/features/tour/store';
import { IconLogout, IconRoute, IconUserCircle } from '~/ui/icons';
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

/** Who is signed in, how the pages look, the account, and the way out. */
export function PersonMenu() {
  const t = useT();
  const me = useMe();
  const change = useChangeMe();
  const [opened, setOpened] = useState(false);
  const mayCreate = useRight('flow.create');
  const startTour = useTour((tour) => tour.start);
  const go = useNavigate();
  const name = me.name || me.email;
  return (
    <Popover opened={opened} onChange={setOpened} width={256} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.person} aria-label={t('app.person.menu', { name })} onClick={() => setOpened(!opened)}>
          {/* Drawn by the style sheet: the letters are a picture of the name, not another name. */}
          <span className={classes.disc} data-letters={initials(name)} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes.panel} aria-label={t('app.person.menu', { name })}>
        <div className={classes.who}>
          <strong>{name}</strong>
          <span>{me.email}</span>
        </div>
        <div className={classes.theme}>
          <SegmentedControl
            fullWidth
            aria-label={t('app.theme.label')}
            value={me.theme}
            onChange={(theme) => change.mutate({ theme })}
            data={[
              { value: 'system', label: t('app.theme.auto') },
              { value: 'light', label: t('app.theme.light') },
              { value: 'dark', label: t('app.theme.dark') },
            ]}
          />
        </div>
        <Link to="/account/" className={classes.item} onClick={() => setOpened(false)}>
          <IconUserCircle size={16} aria-hidden />
          {t('app.person.account')}
        </Link>
        {mayCreate ? (
          <UnstyledButton className={classes.item} onClick={() => { setOpened(false); startTour(); void go({ to: '/flows/' }); }}>
            <IconRoute size={16} aria-hidden />
            {t('tour.start')}
          </UnstyledButton>
        ) : null}
        <UnstyledButton className={classes.item} onClick={signOut}>
          <IconLogout size={16} aria-hidden />
          {t('app.person.sign_out')}
        </UnstyledButton>
      </Popover.Dropdown>
    </Popover>
  );
}
