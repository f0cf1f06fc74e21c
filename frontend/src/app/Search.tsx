import { Spotlight } from '@mantine/spotlight';
import { createSpotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { useDebouncedValue } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useFlows } from '~/api/flows';
import { useRight } from '~/api/me';
import { useRuns } from '~/api/runs';
import { IconPlayerPlay, IconSearch, IconSitemap } from '~/ui/icons';
import { useStatusLabel } from '~/ui/StatusBadge';
import { useIntlTools } from '~/ui/time';
import { commandsFor } from './commands';
import { useT } from './messages';
import { usePlaces } from './Rail';

const [store, spotlight] = createSpotlight();

/** Ctrl-K: what the open page offers, pages, flows by name, and recent runs. */
export function Search({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const words = useStatusLabel();
  const { short } = useIntlTools();
  const [query, setQuery] = useState('');
  const [term] = useDebouncedValue(query.trim(), 150);
  const seesFlows = useRight('flow.view');
  const flows = useFlows({ search: term, limit: 6 }, opened && seesFlows);
  const runs = useRuns({ limit: '4' }, opened && seesFlows);
  const places = usePlaces();

  useEffect(() => (opened ? spotlight.open() : spotlight.close()), [opened]);

  // Only what the server is asked waits for a pause in typing.
  const matches = (text: string) => text.toLowerCase().includes(query.trim().toLowerCase());
  const own = (opened ? commandsFor(query.trim()) : []).map(({ group, commands }) => ({
    group,
    actions: commands.map(({ id, label, detail, icon: Glyph, ask, act }) => ({
      id,
      label,
      description: detail,
      leftSection: <Glyph size={16} aria-hidden />,
      closeSpotlightOnTrigger: ask === undefined,
      onClick: () => (ask === undefined ? act?.() : setQuery(ask)),
    })),
  }));
  const groups = [
    ...own,
    {
      group: t('app.search.pages'),
      actions: places
        .filter((place) => matches(t(place.label)))
        .map((place) => ({
          id: place.to,
          label: t(place.label),
          leftSection: <place.icon size={16} aria-hidden />,
          onClick: () => void go({ to: place.to }),
        })),
    },
    {
      group: t('app.search.flows'),
      actions: (flows.items ?? []).slice(0, 6).map((flow) => ({
        id: flow.id,
        label: flow.name,
        description: words(flow.active_version ? flow.state : 'unpublished'),
        leftSection: <IconSitemap size={16} aria-hidden />,
        onClick: () => void go({ to: '/flows/$flowId/', params: { flowId: flow.id } }),
      })),
    },
    {
      group: t('app.search.runs'),
      actions: (runs.items ?? [])
        .filter((run) => matches(run.flow.name) || run.id.startsWith(query.trim()))
        .slice(0, 4)
        .map((run) => ({
          id: run.id,
          label: run.flow.name,
          description: `${words(run.status)} · ${run.started_at ? short(run.started_at) : ''}`,
          leftSection: <IconPlayerPlay size={16} aria-hidden />,
          onClick: () => void go({ to: '/runs/$runId/', params: { runId: run.id } }),
        })),
    },
  ].filter((group) => group.actions.length > 0);

  return (
    <Spotlight
      store={store}
      shortcut={null}
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      filter={(_query, actions) => actions}
      onSpotlightClose={onClose}
      nothingFound={t('app.search.nothing')}
      scrollable
      maxHeight={420}
      attributes={{ content: { 'aria-label': t('app.search.open') } }}
      searchProps={{ leftSection: <IconSearch size={16} aria-hidden />, placeholder: t('app.search.open'), 'aria-label': t('app.search.open') }}
    />
  );
}
