import { ActionIcon, Input, NumberInput, Select, Tooltip } from '@mantine/core';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconMathFunction } from '~/ui/icons';
import { readDuration, UNITS, writeDuration } from '../duration';
import type { Unit } from '../duration';
import classes from '../Form.module.css';
import type { FieldProps } from '../SchemaField';
import { TemplateField } from './ExpressionField';
import { useFieldFrame } from './basics';

const NAMES: Record<Unit, MessageId> = {
  seconds: 'editor.unit.seconds', minutes: 'editor.unit.minutes', hours: 'editor.unit.hours',
  days: 'editor.unit.days', weeks: 'editor.unit.weeks', months: 'editor.unit.months',
};

/** A length of time as a number and a unit; any other text or an expression is edited as text. */
export function DurationField(props: FieldProps) {
  const t = useT();
  const { field, path, value, required } = props;
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const text = typeof value === 'string' ? value : '';
  const simple = readDuration(text);
  if (text !== '' && !simple) return <TemplateField {...props} />;
  const unit = simple?.unit ?? 'days';
  const clear = required ? '' : field.nullable ? null : undefined;
  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={classes.line}>
        <NumberInput
          className={classes.grow}
          aria-label={field.title}
          disabled={disabled}
          min={1}
          max={9999}
          allowDecimal={false}
          placeholder={required ? undefined : t('editor.form.no_limit')}
          value={simple?.amount ?? ''}
          onChange={(next) => form.set(path, typeof next === 'number' && next > 0 ? writeDuration({ amount: next, unit }) : clear)}
          onBlur={form.settle}
        />
        <Select
          className={classes.side}
          aria-label={t('editor.form.unit', { title: field.title })}
          disabled={disabled}
          allowDeselect={false}
          data={UNITS.map((one) => ({ value: one, label: t(NAMES[one]) }))}
          value={unit}
          onChange={(next) => form.set(path, writeDuration({ amount: simple?.amount ?? 1, unit: next ?? unit }))}
        />
        {field.schema['x-feel'] && !disabled ? (
          <Tooltip label={t('editor.form.to_expression')}>
            <ActionIcon aria-label={t('editor.form.to_expression')} onClick={() => form.set(path, `= duration("${text || 'P2D'}")`)}>
              <IconMathFunction size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ) : null}
      </div>
    </Input.Wrapper>
  );
}
