import { useMemo } from 'react';
import type { StepType } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import { useActions } from '../actions';
import type { Config } from '../document/document';
import { portPaths } from '../document/ports';
import { saidOf } from './said';
import { useFindings } from '../findings';
import { useEditor } from '../store';
import { FormContext } from './FormContext';
import type { FormValues } from './FormContext';
import { ObjectFields } from './ObjectFields';
import { pathName, setAt } from './schema';
import { TableForm } from './table/TableForm';
import { useExpressionReads } from './useExpressionReads';

const EMPTY: Config = {};

const configOf = (owner: string): Config => {
  const { document } = useEditor.getState();
  return (owner === TRIGGER ? document.trigger.config : document.steps[owner]?.config) ?? {};
};

/** The form of a step or of the trigger, out of its type's schema. */
export function ConfigForm({ flowId, owner, type }: { flowId: string; owner: string; type: StepType }) {
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const findings = useFindings((state) => state.findings);
  const config = useEditor(({ document }) => (owner === TRIGGER ? document.trigger.config : document.steps[owner]?.config)) ?? EMPTY;

  const { sample, ...reads } = useExpressionReads(flowId, owner);

  const said = useMemo(() => saidOf(findings, owner, configOf(owner)), [findings, owner]);

  const values: FormValues = useMemo(
    () => ({
      flowId,
      owner,
      root: type.config_schema,
      readOnly,
      ...reads,
      sample,
      ...said,
      portPaths: portPaths(type),
      current: () => configOf(owner),
      set: (path, value) => {
        const next = setAt(configOf(owner), path, value) as Config;
        const merge = `config:${owner}:${pathName(path)}`;
        if (owner === TRIGGER) actions.setTrigger(useEditor.getState().document.trigger.type, next, merge);
        else actions.configure(owner, next, merge);
      },
      renameAnswer: (path, form, from, to) => actions.renameAnswer(owner, setAt(configOf(owner), path, form) as Config, from, to),
      settle: () => useEditor.getState().settle(),
    }),
    [flowId, owner, type, readOnly, reads, sample, said, actions],
  );

  return (
    <FormContext.Provider value={values}>
      {type.config_schema['x-widget'] === 'decision-table' ? (
        <TableForm schema={type.config_schema} value={config} />
      ) : (
        <ObjectFields schema={type.config_schema} value={config} path={[]} />
      )}
    </FormContext.Provider>
  );
}
