import { Link } from '@tanstack/react-router';
import { useMyRequests, useRequestForms } from '~/api/requests';
import type { FormItem, RequestItem } from '~/api/requests';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconForms, IconSend } from '~/ui/icons';
import { More } from '~/ui/More';
import { Page, PageHeader } from '~/ui/Page';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import classes from './Requests.module.css';
import { RequestState } from './RequestState';

/** What somebody can ask for, and what has become of what they asked for. */
export function RequestsPage() {
  const t = useT();
  const forms = useRequestForms();
  const mine = useMyRequests();
  return (
    <Page>
      <PageHeader title={t('requests.title')} />
      <section aria-labelledby="offers">
        <h2 id="offers" className={classes.section}>{t('requests.offers')}</h2>
        {forms.data ? <Offers forms={forms.data.results} /> : forms.error ? <ErrorState error={forms.error} retry={() => void forms.refetch()} /> : <ListSkeleton rows={2} />}
      </section>
      <section aria-labelledby="mine">
        <h2 id="mine" className={classes.section}>{t('requests.mine')}</h2>
        {mine.items ? (
          mine.items.length > 0 ? <Mine requests={mine.items} more={mine} /> : <EmptyState icon={IconSend} title={t('requests.first')}>{t('requests.first_text')}</EmptyState>
        ) : mine.error ? <ErrorState error={mine.error} retry={() => void mine.refetch()} /> : <ListSkeleton rows={4} />}
      </section>
    </Page>
  );
}

function Offers({ forms }: { forms: FormItem[] }) {
  const t = useT();
  if (forms.length === 0) return <EmptyState icon={IconForms} title={t('requests.no_offers')}>{t('requests.no_offers_text')}</EmptyState>;
  return (
    <ul className={classes.offers}>
      {forms.map(({ flow, text, draft_at, is_paused }) => (
        <li key={flow.id}>
          <Link className={classes.offer} to="/requests/new/$flowId/" params={{ flowId: flow.id }}>
            <strong dir="auto">{flow.name}</strong>
            {text ? <span dir="auto">{text}</span> : null}
            {draft_at ? <small>{t('requests.draft')} <RelativeTime at={draft_at} /></small> : is_paused ? <small>{t('requests.paused_short')}</small> : null}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Mine({ requests, more }: { requests: RequestItem[]; more: ReturnType<typeof useMyRequests> }) {
  const t = useT();
  const { short } = useIntlTools();
  const columns: Column<RequestItem>[] = [
    { key: 'what', header: t('requests.what'), min: 180, cell: (row) => <span dir="auto">{row.flow.name}</span> },
    {
      key: 'state', header: t('requests.state'), min: 240,
      cell: (row) => <span className={classes.stands}><RequestState request={row} /><small>{row.progress.said}</small></span>,
    },
    { key: 'until', header: t('requests.until'), width: 160, labelled: true, cell: (row) => (row.progress.until ? short(row.progress.until) : t('app.none')) },
    { key: 'sent', header: t('requests.sent_at'), width: 150, labelled: true, cell: (row) => <RelativeTime at={row.created_at} /> },
  ];
  return (
    <DataTable label={t('requests.mine')} columns={columns} rows={requests} rowKey={(row) => row.id} rowLink={(row) => `/requests/${row.id}/`} footer={<More of={more} />} />
  );
}
