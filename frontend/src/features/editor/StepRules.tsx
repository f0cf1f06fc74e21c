import { Autocomplete, Button, Input, Radio, Select } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { StepType } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { containerOf, undoers, undoOf } from '~/features/canvas/nesting';
import { IconPlus } from '~/ui/icons';
import { useActions } from './actions';
import type { FieldName } from './document/document';
import { fieldOfFinding, findingsOf, isError, useFindings } from './findings';
import { FormContext } from './form/FormContext';
import type { FormValues } from './form/FormContext';
import formClasses from './form/Form.module.css';
import { isRecord, pathName, setAt } from './form/schema';
import { SchemaField } from './form/SchemaField';
import { useExpressionReads } from './form/useExpressionReads';
import classes from './SidePanel.module.css';
import { useEditor } from './store';
import { useView } from './view';

const NAMES: FieldName[] = ['time_limit', 'on_error', 'undo', 'lock', 'retry', 'concurrency'];
const TIME_LIMIT = { 'x-widget': 'duration', anyOf: [{ type: 'string' }, { type: 'null' }] };
const OUTPUT = { 'x-feel': 'template', 'x-widget': 'value' };

/** Without what was emptied: nothing said is not said at all. A contract may hold what is empty. */
export function pruned(value: unknown, keepsContract = false): unknown {
  if (!isRecord(value)) return value === '' ? undefined : value;
  const kept = Object.entries(value).flatMap(([name, one]) => {
    if (keepsContract && name === 'contract') return isRecord(one) && Object.keys(one).length > 0 ? [[name, one] as const] : [];
    const part = pruned(one);
    return part === undefined ? [] : [[name, part] as const];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

type Then = 'stop' | 'path' | 'default' | 'ask';
const THEN: Record<Then, MessageId> = { stop: 'editor.rules.stop', path: 'editor.rules.path', default: 'editor.rules.default', ask: 'editor.rules.ask' };

const onErrorOf = (value: unknown): { then: Then; output?: unknown } =>
  isRecord(value) && typeof value['then'] === 'string' && value['then'] in THEN ? (value as { then: Then }) : { then: 'stop' };

/** What any step may say: how long it may take, what follows when it fails, what takes it back, and what waits for what. */
export function StepRules({ flowId, id, type }: { flowId: string; id: string; type: StepType | undefined }) {
  const t = useT();
  const actions = useActions();
  const step = useEditor(({ document }) => document.steps[id]);
  const readOnly = useEditor((editor) => editor.readOnly);
  const findings = useFindings((state) => state.findings);
  const reads = useExpressionReads(flowId, id);
  // Emptying the last field must not shut what is being edited.
  const [opened, setOpened] = useState(() => NAMES.some((name) => step?.[name] !== undefined));

  const said = useMemo(() => {
    const mine = findingsOf(findings, id).filter((finding) => NAMES.some((name) => fieldOfFinding(finding).split('.')[0] === name));
    const words = (wanted: boolean) => new Map(mine.filter((one) => isError(one) === wanted).map((one) => [fieldOfFinding(one), [one.message, one.fix].filter(Boolean).join(' ')]));
    return { errors: words(true), warnings: words(false), count: mine.length };
  }, [findings, id]);

  const form: FormValues = useMemo(
    () => ({
      flowId, owner: id, root: {}, readOnly, ...reads, errors: said.errors, warnings: said.warnings, portPaths: [],
      current: () => useEditor.getState().document.steps[id] ?? {},
      set: (path, value) => {
        const [name] = path as [FieldName];
        const next = (setAt(useEditor.getState().document.steps[id] ?? {}, path, value ?? undefined) as Record<string, unknown>)[name];
        actions.setField(id, name, name === 'on_error' ? next : pruned(next), `field:${id}:${pathName(path)}`);
      },
      settle: () => useEditor.getState().settle(),
    }),
    [flowId, id, readOnly, reads, said, actions],
  );

  if (!step || type?.behaviour === 'end') return null;
  const set = NAMES.filter((name) => step[name] !== undefined && step[name] !== null);
  return (
    <FormContext.Provider value={form}>
      <details className={classes.rules} open={opened || said.count > 0} onToggle={(event) => setOpened(event.currentTarget.open)}>
        <summary>
          {t('editor.rules')}
          {set.length > 0 ? <span className={classes.nowhere}>{t('editor.rules.set', { count: set.length })}</span> : null}
        </summary>
        <div className={formClasses.fields}>
          <SchemaField name="time_limit" schema={{ ...TIME_LIMIT, title: t('editor.rules.time_limit'), description: t('editor.rules.time_limit_help') }} path={['time_limit']} value={step['time_limit']} required={false} />
          <OnError id={id} type={type} value={step['on_error']} />
          <UndoneBy id={id} />
          <Lock id={id} value={step['lock']} />
          {type?.outward ? <Outside type={type} retry={step['retry']} concurrency={step['concurrency']} /> : null}
        </div>
      </details>
    </FormContext.Provider>
  );
}

function OnError({ id, type, value }: { id: string; type: StepType | undefined; value: unknown }) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const { then, output } = onErrorOf(value);
  // A step with a way out for errors of its own needs no second one.
  const own = type?.ports?.includes('error') === true;
  const offered = (Object.keys(THEN) as Then[]).filter((one) => one !== 'path' || !own || then === 'path');
  const choose = (next: string) =>
    actions.setField(id, 'on_error', next === 'stop' ? undefined : next === 'default' ? { then: next, output: output ?? {} } : { then: next });
  return (
    <div data-field="on_error">
      <Radio.Group label={t('editor.rules.on_error')} value={then} onChange={choose}>
        <div className={formClasses.rows}>
          {offered.map((one) => <Radio key={one} size="xs" value={one} label={t(one === 'stop' && own ? 'editor.rules.stop_or_error' : THEN[one])} disabled={readOnly} />)}
        </div>
      </Radio.Group>
      {then === 'default' ? (
        <div className={formClasses.indent} style={{ marginTop: 8 }}>
          <SchemaField name="output" schema={{ ...OUTPUT, title: t('editor.rules.output') }} path={['on_error', 'output']} value={output} required />
        </div>
      ) : null}
    </div>
  );
}

function UndoneBy({ id }: { id: string }) {
  const t = useT();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const readOnly = useEditor((editor) => editor.readOnly);
  const undo = undoOf(document, id);
  const users = undoers(document).get(id);
  if (users) return <p className={classes.note} data-field="undo">{t('canvas.undoes', { title: users.map(actions.titleOf).join(', ') })}</p>;
  const linked = new Set(document.links.flatMap((link) => [link.from, link.to]));
  const fits = Object.keys(document.steps).filter((one) => one === undo || (one !== id && !linked.has(one) && containerOf(document, one) === containerOf(document, id)));
  return (
    <div data-field="undo">
      {fits.length > 0 ? (
        <Select
          label={t('editor.rules.undo')}
          description={t('editor.rules.undo_help')}
          placeholder={t('editor.rules.undo_none')}
          clearable
          disabled={readOnly}
          data={fits.map((one) => ({ value: one, label: actions.titleOf(one) }))}
          value={undo}
          onChange={(next) => actions.setField(id, 'undo', next ?? undefined)}
        />
      ) : (
        <Input.Wrapper label={t('editor.rules.undo')} description={t('editor.rules.undo_help')} labelElement="div" />
      )}
      {readOnly || undo !== null ? null : (
        <Button
          size="xs"
          className={formClasses.add}
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            useView.setState({ asking: { kind: 'add', undoes: id, x: box.left, y: box.bottom } });
          }}
        >
          {t('editor.rules.undo_add')}
        </Button>
      )}
    </div>
  );
}

function Lock({ id, value }: { id: string; value: unknown }) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  // One text: a selector may not make a new list each time.
  const used = useEditor(({ document }) => JSON.stringify([...new Set(Object.values(document.steps).flatMap((step) => (typeof step['lock'] === 'string' && step['lock'] !== '' ? [step['lock']] : [])))].sort()));
  return (
    <div data-field="lock">
      <Autocomplete
        label={t('editor.rules.lock')}
        description={t('editor.rules.lock_help')}
        placeholder={t('editor.rules.lock_none')}
        maxLength={63}
        disabled={readOnly}
        data={JSON.parse(used) as string[]}
        value={typeof value === 'string' ? value : ''}
        onChange={(next) => actions.setField(id, 'lock', next === '' ? undefined : next, `field:${id}:lock`)}
        onBlur={() => useEditor.getState().settle()}
      />
    </div>
  );
}

const CLASSES = { transient: 'editor.rules.transient', unknown: 'editor.rules.unknown', permanent: 'editor.rules.permanent' } as const;

/** For what touches the outside: how often it is tried, and how much of it is at work over all runs. */
function Outside({ type, retry, concurrency }: { type: StepType; retry: unknown; concurrency: unknown }) {
  const t = useT();
  const number = (title: MessageId, more: object) => ({ type: 'integer', minimum: 1, title: t(title), ...more });
  const tries = {
    type: 'object',
    properties: {
      max_attempts: number('editor.rules.tries', { maximum: 20 }),
      first_delay_s: { type: 'number', minimum: 0, maximum: 3600, title: t('editor.rules.first_delay') },
      max_delay_s: { type: 'number', minimum: 0, maximum: 86_400, title: t('editor.rules.max_delay') },
    },
  };
  const limit = {
    type: 'object',
    title: t('editor.rules.concurrency'),
    properties: {
      max: number('editor.rules.concurrency_max', { maximum: 10_000 }),
      ...(isRecord(concurrency) ? { key: { anyOf: [{ type: 'string', 'x-feel': 'expression' }, { type: 'null' }], title: t('editor.rules.concurrency_key'), description: t('editor.rules.concurrency_key_help') } } : {}),
    },
  };
  const properties = isRecord(type.config_schema['properties']) ? type.config_schema['properties'] : {};
  const given = isRecord(retry) ? retry : {};
  return (
    <>
      <SchemaField name="concurrency" schema={limit} path={['concurrency']} value={concurrency} required={false} />
      {'retry' in properties ? null : (
        <details className={classes.more} open={retry !== undefined || undefined}>
          <summary>{t('editor.rules.retry')}</summary>
          <div className={formClasses.fields}>
            {(Object.keys(CLASSES) as (keyof typeof CLASSES)[]).map((one) => (
              <SchemaField key={one} name={one} schema={{ ...tries, title: t(CLASSES[one]) }} path={['retry', one]} value={given[one]} required={false} />
            ))}
          </div>
        </details>
      )}
    </>
  );
}
