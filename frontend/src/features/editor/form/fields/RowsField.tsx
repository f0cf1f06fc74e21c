import { ActionIcon, Button, Input } from '@mantine/core';
import { useT } from '~/app/messages';
import { readPorts } from '~/features/canvas/catalogue';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '~/ui/icons';
import classes from '../Form.module.css';
import { patternOf } from '../FormContext';
import { ObjectFields } from '../ObjectFields';
import { blank, getAt, isRecord, resolve } from '../schema';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

const moved = (list: unknown[], from: number, to: number) => {
  const next = [...list];
  const [one] = next.splice(from, 1);
  next.splice(to, 0, one);
  return next;
};

/** A list of things with several fields each; order matters, so rows can be moved. */
export function RowsField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const rows = Array.isArray(value) ? (value as unknown[]) : [];
  const item = resolve(field.schema['items'], form.root);
  const now = () => {
    const list = getAt(form.current(), path);
    return Array.isArray(list) ? (list as unknown[]) : [];
  };

  const add = () => {
    const row = blank(item, form.root);
    const names = isRecord(item['properties']) ? Object.keys(item['properties']) : [];
    const port = names.find((name) => form.portPaths.includes(`${patternOf(path)}[].${name}`));
    if (port && isRecord(row)) {
      const taken = readPorts(form.current(), form.portPaths.join(','));
      let count = rows.length + 1;
      while (taken.includes(t('editor.form.new_port', { count }))) count += 1;
      row[port] = t('editor.form.new_port', { count });
    }
    form.set(path, [...now(), row]);
    form.settle();
  };

  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={classes.rows}>
        {rows.map((row, index) => (
          <div key={index} className={classes.row} role="group" aria-label={t('editor.form.row', { title: field.title, at: index + 1 })}>
            <div className={classes.rowHead}>
              <span aria-hidden>{index + 1}</span>
              {disabled ? null : (
                <span className={classes.actions}>
                  <ActionIcon size="xs" aria-label={t('editor.form.up', { at: index + 1 })} disabled={index === 0} onClick={() => form.set(path, moved(now(), index, index - 1))}>
                    <IconArrowUp size={16} aria-hidden />
                  </ActionIcon>
                  <ActionIcon size="xs" aria-label={t('editor.form.down', { at: index + 1 })} disabled={index === rows.length - 1} onClick={() => form.set(path, moved(now(), index, index + 1))}>
                    <IconArrowDown size={16} aria-hidden />
                  </ActionIcon>
                  <ActionIcon size="xs" aria-label={t('editor.form.remove', { at: index + 1 })} onClick={() => form.set(path, now().filter((_one, at) => at !== index))}>
                    <IconTrash size={16} aria-hidden />
                  </ActionIcon>
                </span>
              )}
            </div>
            <ObjectFields schema={item} value={row} path={[...path, index]} />
          </div>
        ))}
      </div>
      {disabled ? null : (
        <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
          {t('editor.form.add_to', { title: field.title })}
        </Button>
      )}
    </Input.Wrapper>
  );
}
