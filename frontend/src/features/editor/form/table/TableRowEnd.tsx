import { ActionIcon } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconArrowDown, IconArrowUp, IconTrash } from '~/ui/icons';
import { useForm } from '../FormContext';
import { moveRule, removeRule } from './grid';
import classes from './Table.module.css';

interface Props {
  index: number;
  count: number;
  name: string;
  note: string;
  onChange: (config: Record<string, unknown>) => void;
}

/** The end of a rule: its note, and what can be done with the rule as a whole. */
export function TableRowEnd({ index, count, name, note, onChange }: Props) {
  const t = useT();
  const form = useForm();
  return (
    <td>
      <span className={classes.line}>
        <input
          className={classes.note}
          aria-label={`${name}, ${t('editor.table.note')}`}
          readOnly={form.readOnly}
          value={note}
          onChange={(event) => form.set(['rules', index, 'note'], event.currentTarget.value)}
          onBlur={form.settle}
        />
        {form.readOnly ? null : (
          <span className={classes.actions}>
            <ActionIcon size="xs" aria-label={t('editor.form.up', { at: index + 1 })} disabled={index === 0} onClick={() => onChange(moveRule(form.current(), index, index - 1))}>
              <IconArrowUp size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon size="xs" aria-label={t('editor.form.down', { at: index + 1 })} disabled={index === count - 1} onClick={() => onChange(moveRule(form.current(), index, index + 1))}>
              <IconArrowDown size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon size="xs" aria-label={t('editor.form.remove', { at: index + 1 })} onClick={() => onChange(removeRule(form.current(), index))}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </span>
        )}
      </span>
    </td>
  );
}
