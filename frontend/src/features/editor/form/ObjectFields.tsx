import { SegmentedControl } from '@mantine/core';
import classes from './Form.module.css';
import { useForm } from './FormContext';
import { SchemaField } from './SchemaField';
import { blank, fieldOf, isRecord, oneOfNames, propertiesOf } from './schema';
import type { Path, Schema } from './schema';

interface Props {
  schema: Schema;
  value: unknown;
  path: Path;
}

/** The fields of an object, one below the other. */
export function ObjectFields({ schema, value, path }: Props) {
  const { root } = useForm();
  const either = oneOfNames(schema);
  const given = isRecord(value) ? value : {};
  const chosen = either.find((name) => given[name] !== undefined && given[name] !== null) ?? either[0];
  const fields = propertiesOf(schema, value, root).filter(({ name }) => !either.includes(name) || name === chosen);
  return (
    <div className={classes.fields}>
      {either.length > 0 && chosen !== undefined ? <Either names={either} chosen={chosen} schema={schema} path={path} /> : null}
      {fields.map(({ name, schema: part, required }) => (
        <SchemaField key={name} name={name} schema={part} path={[...path, name]} value={given[name]} required={required || either.includes(name)} />
      ))}
    </div>
  );
}

/** Chooses which one of several fields is meant; the others are left out of the config. */
function Either({ names, chosen, schema, path }: { names: string[]; chosen: string; schema: Schema; path: Path }) {
  const form = useForm();
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const choose = (name: string) => {
    const before = path.reduce<unknown>((here, part) => (isRecord(here) ? here[part] : undefined), form.current());
    const kept = Object.fromEntries(Object.entries(isRecord(before) ? before : {}).filter(([one]) => !names.includes(one)));
    const first = fieldOf(properties[name], form.root, name);
    const example = Array.isArray(first.schema['examples']) ? (first.schema['examples'][0] as unknown) : undefined;
    form.set(path, { ...kept, [name]: example ?? blank({ ...first.schema, default: undefined }, form.root) ?? '' });
  };
  return (
    <SegmentedControl
      fullWidth
      disabled={form.readOnly}
      value={chosen}
      onChange={choose}
      data={names.map((name) => ({ value: name, label: fieldOf(properties[name], form.root, name).title }))}
    />
  );
}
