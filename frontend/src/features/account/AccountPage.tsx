import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMe } from '~/api/me';
import { useT } from '~/app/messages';
import { Tokens } from '~/features/settings/Tokens';
import { Page, PageHeader, Panel } from '~/ui/Page';
import { PasswordForm } from './PasswordForm';
import { ProfileForm } from './ProfileForm';
import { Sessions } from './Sessions';
import { StandIns } from './StandIns';

/** What belongs to the person whatever the workspace. */
export function AccountPage() {
  const t = useT();
  const me = useMe();
  return (
    <Page narrow>
      <PageHeader title={t('settings.account')} />
      <ProfileForm key={me.id} />
      <PasswordForm />
      <Panel
        title={t('settings.account.notifications')}
        description={t('settings.account.notifications_hint')}
      >
        <Button component={Link} to="/account/notifications/">{t('settings.account.notifications_open')}</Button>
      </Panel>
      {me.rights.includes('task.decide') ? <StandIns /> : null}
      <Sessions />
      <Tokens ownOf={me.email} />
    </Page>
  );
}
