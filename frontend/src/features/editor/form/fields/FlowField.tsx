import { Anchor, Input, Radio, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useFlows, useVersions } from '~/api/flows';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { IconExternalLink } from '~/ui/icons';
import { useActions } from '../../actions';
import { isId, useCalledFlow } from '../../called';
import { useEditor } from '../../store';
import classes from '../Form.module.css';
import { useForm } from '../FormContext';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

const MANY = 50;

/** Another flow of the workspace, found by its name. */
export function FlowField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const { form, frame } = useFieldFrame({ field, path, required });
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed, 200);
  const named = typeof value === 'string' ? value : '';
  const { flow, isGone } = useCalledFlow(named);
  const found = useFlows({ search: search === flow?.name ? undefined : search || undefined, limit: MANY }).items ?? [];
  const options = new Map(found.filter((one) => one.state !== 'archived').map((one) => [one.id, one.name]));
  if (flow) options.set(flow.id, flow.name);
  else if (named) options.set(named, isId(named) ? t('editor.called.unknown') : named);
  const choose = (id: string) => {
    form.set(path, id);
    // A step that nobody has named yet is called as the flow that it runs.
    const step = useEditor.getState().document.steps[form.owner];
    const name = options.get(id);
    if (step && name && step.title === types.step(step.type, step.version)?.title) actions.rename(form.owner, name);
    form.settle();
  };
  return (
    <>
      <Select
        {...frame}
        error={frame.error ?? (isGone ? t('editor.called.gone') : undefined)}
        placeholder={t('editor.called.choose')}
        nothingFoundMessage={t('editor.called.none')}
        searchable
        allowDeselect={false}
        data={[...options].map(([id, label]) => ({ value: id, label }))}
        value={flow?.id ?? (named || null)}
        onSearchChange={setTyped}
        onChange={(next) => { if (next !== null) choose(next); }}
      />
      {flow ? (
        <Anchor size="xs" href={`/flows/${flow.id}/`} target="_blank" rel="noreferrer" className={classes.out}>
          {t('editor.called.open', { name: flow.name })} <IconExternalLink size={14} aria-hidden />
        </Anchor>
      ) : null}
    </>
  );
}

/** The version that is active when the step runs, as long as it fits, or always the same one. */
export function FlowVersionField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const { flow } = useCalledFlow(useForm().current()['flow']);
  const versions = useVersions(flow?.id ?? '', flow !== undefined).items ?? [];
  const pinned = typeof value === 'number' ? value : undefined;
  const numbers = new Map(versions.map((one) => [one.number, [t('flows.version', { number: one.number }), one.note].filter(Boolean).join(' · ')]));
  if (pinned !== undefined && !numbers.has(pinned)) numbers.set(pinned, t('flows.version', { number: pinned }));
  return (
    <>
      <Radio.Group {...words} value={pinned === undefined ? 'latest' : 'pinned'} onChange={(next) => form.set(path, next === 'latest' ? 'latest' : (flow?.active_version ?? versions[0]?.number ?? 1))}>
        <div className={classes.rows}>
          <Radio size="xs" value="latest" label={t('editor.called.latest')} description={t('editor.called.latest_help')} disabled={disabled} />
          <Radio size="xs" value="pinned" label={t('editor.called.pinned')} description={t('editor.called.pinned_help')} disabled={disabled} />
        </div>
      </Radio.Group>
      {pinned === undefined ? null : (
        <Select
          mt={8}
          aria-label={t('editor.called.which')}
          disabled={disabled}
          allowDeselect={false}
          data={[...numbers].map(([number, label]) => ({ value: String(number), label }))}
          value={String(pinned)}
          onChange={(next) => { if (next !== null) form.set(path, Number(next)); }}
        />
      )}
      {flow?.active_version === null ? <Input.Description mt={4}>{t('editor.called.unpublished')}</Input.Description> : null}
    </>
  );
}
