import type { ComponentType } from 'react';
import { ConditionField } from './conditions/ConditionField';
import { AddressesField } from './fields/AddressesField';
import { BooleanField, ChoiceField, NumberField, TextField } from './fields/basics';
import { CronField, ZoneField } from './fields/CronField';
import { DurationField } from './fields/DurationField';
import { ExpressionField, TemplateField } from './fields/ExpressionField';
import { EventTypeField } from './fields/EventTypeField';
import { FlowField, FlowVersionField } from './fields/FlowField';
import { FlowInputField } from './fields/FlowInputField';
import { FormBuilder } from './fields/FormBuilder';
import { GroupField } from './fields/GroupField';
import { MapField } from './fields/MapField';
import { OutcomeField } from './fields/OutcomeField';
import { PeopleField } from './fields/PeopleField';
import { PortField } from './fields/PortField';
import { RowsField } from './fields/RowsField';
import { SecretField } from './fields/SecretField';
import { StepField, StepsField } from './fields/StepField';
import { TextsField } from './fields/TextsField';
import { UnionField } from './fields/UnionField';
import { ValueField } from './fields/ValueField';
import classes from './Form.module.css';
import { patternOf, useForm } from './FormContext';
import { fieldOf, pathName } from './schema';
import type { Field, FieldKind, Path, Schema } from './schema';

export interface FieldProps {
  field: Field;
  path: Path;
  value: unknown;
  required: boolean;
}

const FIELDS: Record<FieldKind, ComponentType<FieldProps>> = {
  expression: ExpressionField,
  condition: ConditionField,
  template: TemplateField,
  text: TextField,
  number: NumberField,
  boolean: BooleanField,
  choice: ChoiceField,
  union: UnionField,
  texts: TextsField,
  rows: RowsField,
  group: GroupField,
  fields: MapField,
  value: ValueField,
  step: StepField,
  steps: StepsField,
  duration: DurationField,
  people: PeopleField,
  cron: CronField,
  zone: ZoneField,
  secret: SecretField,
  addresses: AddressesField,
  form: FormBuilder,
  flow: FlowField,
  flowVersion: FlowVersionField,
  flowInput: FlowInputField,
  eventType: EventTypeField,
  outcome: OutcomeField,
};

interface Props {
  schema: Schema;
  name: string;
  path: Path;
  value: unknown;
  required: boolean;
}

/** One part of a config, shown as its schema says. */
export function SchemaField({ schema, name, path, value, required }: Props) {
  const { root, portPaths, warnings } = useForm();
  const warning = warnings.get(pathName(path));
  const field = fieldOf(schema, root, name);
  const Shown = portPaths.includes(patternOf(path)) ? PortField : FIELDS[field.kind];
  return (
    <div data-field={pathName(path)}>
      <Shown field={field} path={path} value={value ?? field.schema['default']} required={required} />
      {warning ? <p className={classes.warning}>{warning}</p> : null}
    </div>
  );
}
