import { ActionIcon, Button, SegmentedControl } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import { useForm } from '../FormContext';
import { CompareRow } from './CompareRow';
import classes from './Conditions.module.css';
import { DEEPEST, newCompare } from './model';
import type { Condition, Group } from './model';

interface Props {
  group: Group;
  /** How the group is called, so that each part has a name of its own. */
  name: string;
  depth: number;
  onChange: (group: Group) => void;
  onRemove?: () => void;
}

/** Comparisons and further groups, of which all or any must hold. */
export function ConditionGroup({ group, name, depth, onChange, onRemove }: Props) {
  const t = useT();
  const form = useForm();
  const put = (parts: Condition[]) => onChange({ ...group, parts });
  const replace = (at: number, part: Condition) => put(group.parts.map((one, index) => (index === at ? part : one)));
  const remove = (at: number) => { put(group.parts.filter((_one, index) => index !== at)); form.settle(); };
  const add = (part: Condition) => { put([...group.parts, part]); form.settle(); };
  const joins = [{ value: 'and', label: t('editor.condition.all') }, { value: 'or', label: t('editor.condition.any') }];
  return (
    <div role="group" aria-label={t('editor.condition.group', { name })} className={classes.group} data-depth={depth}>
      {group.parts.length > 1 || depth > 0 ? (
        <div className={classes.head}>
          <SegmentedControl
            size="xs"
            disabled={form.readOnly}
            aria-label={t('editor.condition.join', { name })}
            data={joins}
            value={group.join}
            onChange={(join) => { onChange({ ...group, join: join as Group['join'] }); form.settle(); }}
          />
          {onRemove && !form.readOnly ? (
            <ActionIcon aria-label={t('editor.condition.remove_group', { name })} onClick={onRemove}><IconTrash size={16} aria-hidden /></ActionIcon>
          ) : null}
        </div>
      ) : null}
      {group.parts.map((part, at) => {
        const called = depth === 0 ? t('editor.condition.part', { at: at + 1 }) : t('editor.condition.part_of', { at: at + 1, name });
        return part.kind === 'group' ? (
          <ConditionGroup key={at} group={part} name={called} depth={depth + 1} onChange={(next) => replace(at, next)} onRemove={() => remove(at)} />
        ) : (
          <CompareRow key={at} compare={part} name={called} onChange={(next) => replace(at, next)} onRemove={() => remove(at)} />
        );
      })}
      {form.readOnly ? null : (
        <div className={classes.adding}>
          <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => add(newCompare())}>{t('editor.condition.add')}</Button>
          {depth < DEEPEST - 1 && group.parts.length > 0 ? (
            <Button size="xs" variant="subtle" onClick={() => add({ kind: 'group', join: group.join === 'and' ? 'or' : 'and', parts: [newCompare(), newCompare()] })}>{t('editor.condition.add_group')}</Button>
          ) : null}
        </div>
      )}
    </div>
  );
}
