import { Link } from '@tanstack/react-router';
import { useOwnDeliveries, useTold } from '~/api/notices';
import { useT } from '~/app/messages';
import { SectionHead } from '~/features/settings/SectionHead';
import { IconArrowLeft } from '~/ui/icons';
import { Page, PageHeader } from '~/ui/Page';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { Deliveries } from './Deliveries';
import { Places } from './Places';
import { Ways } from './Ways';

/** How the person is told, where, and what became of it. */
export function NotificationsPage() {
  const t = useT();
  const told = useTold();
  const log = useOwnDeliveries();
  return (
    <Page narrow>
      <PageHeader title={t('notices.title')} back={<Link to="/account/" aria-label={t('notices.back')}><IconArrowLeft size={20} aria-hidden /></Link>} />
      {told.data ? (
        <>
          <Ways key={JSON.stringify([told.data.choices, told.data.quiet, told.data.digest_at])} told={told.data} />
          <Places told={told.data} />
          <SectionHead title={t('notices.log')} text={t('notices.log.text')} />
          <Deliveries of={log} label={t('notices.log')} none={t('notices.log.none')} />
        </>
      ) : told.error ? <ErrorState error={told.error} retry={() => void told.refetch()} /> : <ListSkeleton rows={6} />}
    </Page>
  );
}
