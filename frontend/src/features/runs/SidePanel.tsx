import { Tabs } from '@mantine/core';
import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import { EmptyState } from '~/ui/States';
import { Journal } from './Journal';
import classes from './SidePanel.module.css';
import { StepDetails } from './StepDetails';
import { TriggerDetails } from './TriggerDetails';

interface Props {
  run: Run;
  document: FlowDocument;
  step: string | undefined;
  tab: string | undefined;
  onTab: (tab: string | undefined) => void;
}

/** Beside the picture: the chosen step, or everything that was written down. */
export function SidePanel({ run, document, step, tab, onTab }: Props) {
  const t = useT();
  return (
    <Tabs value={tab ?? 'step'} onChange={(next) => onTab(next === 'step' ? undefined : (next ?? undefined))}>
      <Tabs.List className={classes.tabs}>
        <Tabs.Tab value="step">{t('runs.tab.step')}</Tabs.Tab>
        <Tabs.Tab value="journal">{t('runs.tab.journal')}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="step" className={classes.panel}>
        {step === undefined ? (
          <EmptyState bare title={t('runs.panel.choose')} />
        ) : step === TRIGGER ? (
          <TriggerDetails run={run} document={document} />
        ) : (
          <StepDetails key={step} run={run} document={document} id={step} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="journal">
        <Journal run={run} document={document} step={step === TRIGGER ? undefined : step} />
      </Tabs.Panel>
    </Tabs>
  );
}
