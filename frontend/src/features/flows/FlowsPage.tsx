import { Button } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useFlows } from '~/api/flows';
import { useRight } from '~/api/me';
import { useT } from '~/app/messages';
import { useTour } from '~/features/tour/store';
import { TourOffer } from '~/features/tour/TourOffer';
import { FilterChip, SearchBox } from '~/ui/Filter';
import { IconPlus, IconSearch, IconSitemap } from '~/ui/icons';
import { Page, PageHeader, Toolbar } from '~/ui/Page';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { useStatusLabel } from '~/ui/StatusBadge';
import { FlowsTable } from './FlowsTable';
import { NewFlow } from './NewFlow';

const STATES = ['active', 'paused', 'archived'] as const;

/** Every flow the person may see. `?new=empty|example` opens the dialog. */
export function FlowsPage() {
  const t = useT();
  const words = useStatusLabel();
  const search = useSearch({ from: '/flows' });
  const navigate = useNavigate({ from: '/flows' });
  const mayCreate = useRight('flow.create');
  const list = useFlows({ search: search.search, state: search.state });
  const filtered = Boolean(search.search ?? search.state);
  const change = (part: Partial<typeof search>) => void navigate({ search: { ...search, ...part }, replace: true });
  const open = (how: string) => change({ new: how });

  return (
    <Page>
      <PageHeader
        title={t('flows.title')}
        actions={
          mayCreate ? (
            <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => open('empty')}>
              {t('flows.new')}
            </Button>
          ) : null
        }
      />
      {mayCreate && list.items && (list.items.length > 0 || filtered) ? <TourOffer /> : null}
      {list.items?.length === 0 && !filtered ? null : (
        <Toolbar>
          <SearchBox label={t('flows.search')} value={search.search} onChange={(value) => change({ search: value })} />
          <FilterChip
            label={t('flows.column.state')}
            value={search.state}
            choices={STATES.map((state) => ({ value: state, label: words(state) }))}
            onChange={(value) => change({ state: value })}
          />
        </Toolbar>
      )}
      {list.items ? (
        list.items.length > 0 ? (
          <FlowsTable flows={list.items} more={list} />
        ) : filtered ? (
          <EmptyState icon={IconSearch} title={t('flows.none.title')} action={<Button onClick={() => change({ search: undefined, state: undefined })}>{t('app.filter_clear_all')}</Button>}>
            {t('flows.none.text')}
          </EmptyState>
        ) : (
          <FirstFlow onNew={mayCreate ? open : undefined} />
        )
      ) : list.error ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ListSkeleton />
      )}
      {search.new && mayCreate ? <NewFlow start={search.new} onClose={() => change({ new: undefined })} /> : null}
    </Page>
  );
}

function FirstFlow({ onNew }: { onNew?: (how: string) => void }) {
  const t = useT();
  const tour = useTour();
  if (!onNew) return <EmptyState icon={IconSitemap} title={t('flows.first.title')}>{t('flows.first.readonly')}</EmptyState>;
  return (
    <EmptyState
      icon={IconSitemap}
      title={t('flows.first.title')}
      action={
        <>
          <Button variant="filled" onClick={() => onNew('example')}>{t('flows.first.example')}</Button>
          {tour.stage === 'on' ? null : <Button onClick={tour.start}>{t('tour.start')}</Button>}
          <Button onClick={() => onNew('empty')}>{t('flows.first.empty')}</Button>
        </>
      }
    >
      {t('flows.first.text')}
    </EmptyState>
  );
}
