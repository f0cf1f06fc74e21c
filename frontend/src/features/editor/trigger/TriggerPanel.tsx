import { SegmentedControl } from '@mantine/core';
import { useRef } from 'react';
import { useT } from '~/app/messages';
import { TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { StepIcon } from '~/features/canvas/StepIcon';
import { useActions } from '../actions';
import type { Config } from '../document/document';
import { ConfigForm } from '../form/ConfigForm';
import { PanelLinks } from '../PanelLinks';
import classes from '../SidePanel.module.css';
import { GeneralFindings, Help } from '../StepPanel';
import { useEditor } from '../store';
import { Deliveries } from './Deliveries';
import { TriggerAddress } from './TriggerAddress';

/** How runs start: the kind of trigger, its form, its address, and what arrived last. */
export function TriggerPanel({ flowId }: { flowId: string }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const trigger = useEditor(({ document }) => document.trigger);
  const readOnly = useEditor((editor) => editor.readOnly);
  const type = types.trigger(trigger.type);
  // Who looks at another kind and comes back finds what was filled in.
  const before = useRef(new Map<string, Config>());
  const choose = (kind: string) => {
    before.current.set(trigger.type, trigger.config);
    const first = types.trigger(kind)?.default_config;
    actions.setTrigger(kind, before.current.get(kind) ?? structuredClone(first ?? {}));
  };
  return (
    <>
      <div className={classes.head}>
        <StepIcon icon={type?.icon} tint="signal" />
        <div className={classes.kind}><h2>{t('editor.start')}</h2></div>
      </div>
      <SegmentedControl
        fullWidth
        orientation="vertical"
        size="xs"
        mb={12}
        aria-label={t('editor.start_kind')}
        disabled={readOnly}
        data={types.triggers.map((one) => ({ value: one.kind, label: one.title }))}
        value={trigger.type}
        onChange={choose}
      />
      {type ? <Help help={type.help} /> : null}
      <TriggerAddress flowId={flowId} />
      <div className={classes.gap} />
      <GeneralFindings owner={TRIGGER} ways={false} />
      {type ? <ConfigForm key={trigger.type} flowId={flowId} owner={TRIGGER} type={type} /> : null}
      <PanelLinks id={TRIGGER}><GeneralFindings owner={TRIGGER} ways /></PanelLinks>
      <Deliveries flowId={flowId} />
    </>
  );
}
