import { useMemo, useState } from 'react';
import { useT } from '~/app/messages';
import { TRIGGER } from '~/features/canvas/catalogue';
import { useActions } from './actions';
import { SchemaPart } from './contract/SchemaParts';
import { fieldOfFinding, isError, useFindings } from './findings';
import { FormContext } from './form/FormContext';
import type { FormValues } from './form/FormContext';
import formClasses from './form/Form.module.css';
import { isRecord, pathName, setAt } from './form/schema';
import type { Path, Schema } from './form/schema';
import { SchemaField } from './form/SchemaField';
import { useExpressionReads } from './form/useExpressionReads';
import classes from './SidePanel.module.css';
import { pruned } from './StepRules';
import { useEditor } from './store';

const LIMITS = ['priority', 'concurrency', 'max_steps'];
const NONE: Record<string, unknown> = {};
const settingsOf = () => useEditor.getState().document.settings ?? NONE;

/** What goes for the flow as a whole: what it takes and gives, and how much of it runs at once. */
export function FlowRules({ flowId }: { flowId: string }) {
  const actions = useActions();
  const settings = useEditor(({ document }) => document.settings) ?? NONE;
  const readOnly = useEditor((editor) => editor.readOnly);
  const set = (path: Path, value: unknown) =>
    actions.setSettings((pruned(setAt(settingsOf(), path, value ?? undefined), true) ?? {}) as Record<string, unknown>, `settings:${pathName(path)}`);
  return (
    <>
      <ContractRules settings={settings} readOnly={readOnly} set={set} />
      <LimitRules flowId={flowId} settings={settings} readOnly={readOnly} set={set} />
    </>
  );
}

interface Props {
  settings: Record<string, unknown>;
  readOnly: boolean;
  set: (path: Path, value: unknown) => void;
}

/** What the flow takes and gives: held at every door, and what flows that run it rely on. */
function ContractRules({ settings, readOnly, set }: Props) {
  const t = useT();
  const contract = isRecord(settings['contract']) ? settings['contract'] : {};
  const count = ['input', 'output'].filter((name) => contract[name] !== undefined).length;
  const [opened, setOpened] = useState(count > 0);
  const settle = () => useEditor.getState().settle();
  const side = (name: 'input' | 'output') => (
    <div data-field={`contract.${name}`}>
      <SchemaPart
        shown
        label={t(name === 'input' ? 'editor.contract.input' : 'editor.contract.output')}
        schema={contract[name]}
        readOnly={readOnly}
        onChange={(schema: Schema) => set(['contract', name], Object.keys(schema).length === 0 ? undefined : schema)}
        onSettle={settle}
      />
    </div>
  );
  return (
    <details className={classes.rules} open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        {t('editor.contract')}
        {count > 0 ? <span className={classes.nowhere}>{t('editor.rules.set', { count })}</span> : null}
      </summary>
      <p className={classes.note}>{t('editor.contract.help')}</p>
      <div className={formClasses.fields}>
        {side('input')}
        {side('output')}
      </div>
    </details>
  );
}

function LimitRules({ flowId, settings, readOnly, set }: Props & { flowId: string }) {
  const t = useT();
  const reads = useExpressionReads(flowId, TRIGGER);
  const findings = useFindings((state) => state.findings);
  const count = LIMITS.filter((name) => settings[name] !== undefined && settings[name] !== null).length;
  const [opened, setOpened] = useState(count > 0);
  const said = useMemo(() => {
    const mine = findings.filter((one) => one.path?.startsWith('/settings/'));
    const words = (wanted: boolean) => new Map(mine.filter((one) => isError(one) === wanted).map((one) => [fieldOfFinding(one), [one.message, one.fix].filter(Boolean).join(' ')]));
    return { errors: words(true), warnings: words(false) };
  }, [findings]);
  const form: FormValues = useMemo(
    () => ({ flowId, owner: TRIGGER, root: {}, readOnly, ...reads, ...said, portPaths: [], current: settingsOf, set, settle: () => useEditor.getState().settle() }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `set` reads the settings as they are then
    [flowId, readOnly, reads, said],
  );
  const concurrency = settings['concurrency'];
  const limit: Schema = {
    type: 'object',
    title: t('editor.flow.concurrency'),
    properties: {
      max: { type: 'integer', minimum: 1, maximum: 100_000, title: t('editor.flow.concurrency_max') },
      ...(isRecord(concurrency) ? { key: { anyOf: [{ type: 'string', 'x-feel': 'expression' }, { type: 'null' }], title: t('editor.rules.concurrency_key'), description: t('editor.flow.concurrency_key_help') } } : {}),
    },
  };
  const priority: Schema = {
    enum: ['high', 'normal', 'low'],
    default: 'normal',
    title: t('editor.flow.priority'),
    'x-labels': { high: t('editor.flow.priority_high'), normal: t('editor.flow.priority_normal'), low: t('editor.flow.priority_low') },
  };
  const steps: Schema = { type: 'integer', minimum: 1, maximum: 1_000_000, title: t('editor.flow.max_steps'), description: t('editor.flow.max_steps_help') };
  return (
    <FormContext.Provider value={form}>
      <details className={classes.rules} open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
        <summary>
          {t('editor.flow.limits')}
          {count > 0 ? <span className={classes.nowhere}>{t('editor.rules.set', { count })}</span> : null}
        </summary>
        <div className={formClasses.fields}>
          <SchemaField name="priority" schema={priority} path={['priority']} value={settings['priority']} required={false} />
          <SchemaField name="concurrency" schema={limit} path={['concurrency']} value={concurrency} required={false} />
          <SchemaField name="max_steps" schema={steps} path={['max_steps']} value={settings['max_steps']} required={false} />
        </div>
      </details>
    </FormContext.Provider>
  );
}
