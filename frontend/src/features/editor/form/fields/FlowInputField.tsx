import { ActionIcon, Input } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconX } from '~/ui/icons';
import { askedOf, useCalledFlow, useContract } from '../../called';
import { kindOf, KINDS } from '../../contract/shape';
import classes from '../Form.module.css';
import { MapperButton } from '../mapper/Mapper';
import { useForm } from '../FormContext';
import { isRecord } from '../schema';
import type { FieldProps } from '../SchemaField';
import { MapRows } from './MapField';
import { EntryError, ValueEditor } from './ValueField';
import { useFieldFrame } from './basics';

/** What the other flow is given: a field for each name that it asks for, and room for more. */
export function FlowInputField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const form = useForm();
  const { frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const config = form.current();
  const { flow } = useCalledFlow(config['flow']);
  const contract = useContract(flow, config['version']);
  const asked = askedOf(contract?.input);
  const given = isRecord(value) ? value : {};
  const more = Object.fromEntries(Object.entries(given).filter(([name]) => !asked.some((one) => one.name === name)));
  const isClosed = isRecord(contract?.input) && contract.input['additionalProperties'] === false;
  return (
    <Input.Wrapper {...words} description={words.description ?? (flow && contract && asked.length === 0 ? t('editor.called.asks_nothing') : undefined)} labelElement="div">
      <div className={classes.rows}>
        {asked.map(({ name, schema, required: needed }) => (
          <div key={name} data-field={[...path, name].join('.')}>
            <Input.Label required={needed} labelElement="div">
              <code>{name}</code> <span className={classes.kindOf}>{t(KINDS[kindOf(schema)])}</span>
            </Input.Label>
            {typeof schema['description'] === 'string' ? <Input.Description>{schema['description']}</Input.Description> : null}
            <div className={classes.line}>
              <div className={classes.grow}>
                <ValueEditor label={name} path={[...path, name]} value={given[name] ?? ''} secrets={false} />
                <EntryError path={[...path, name]} value={given[name] ?? ''} secrets={false} />
              </div>
              {name in given && !needed && !form.readOnly ? (
                <ActionIcon aria-label={t('editor.called.leave_out', { name })} onClick={() => form.set([...path, name], undefined)}>
                  <IconX size={16} aria-hidden />
                </ActionIcon>
              ) : null}
            </div>
          </div>
        ))}
        {isClosed && Object.keys(more).length === 0 ? null : <MapRows path={path} value={more} secrets={false} />}
      </div>
      <MapperButton title={field.title} path={path} value={value} />
    </Input.Wrapper>
  );
}
