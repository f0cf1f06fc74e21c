import { Button } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useT } from '~/app/messages';
import { IconBroadcast } from '~/ui/icons';
import { Page, PageHeader } from '~/ui/Page';
import { RunList } from './RunList';
import { StopEverything } from './StopEverything';

/** Every run the person may see, newest first. */
export function RunsPage() {
  const t = useT();
  const search = useSearch({ from: '/runs' });
  const navigate = useNavigate({ from: '/runs' });
  return (
    <Page>
      <PageHeader title={t('runs.title')} actions={<><Button component={Link} to="/events/" leftSection={<IconBroadcast size={16} aria-hidden />}>{t('runs.events')}</Button><StopEverything /></>} />
      <RunList filter={search} onFilter={(next) => void navigate({ search: { ...next }, replace: true })} />
    </Page>
  );
}
