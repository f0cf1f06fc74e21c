import { Radio } from '@mantine/core';
import classes from '../Form.module.css';
import { ObjectFields } from '../ObjectFields';
import { blank, isRecord, variantFor } from '../schema';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

/** One of several forms that a value may have; the chosen one brings its own fields. */
export function UnionField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  // Where the value is left out the server takes the first.
  const chosen = value === undefined || value === null ? field.variants[0] : variantFor(field.variants, value);
  const choose = (key: string) => {
    const next = field.variants.find((one) => one.key === key);
    if (next) form.set(path, next.hasConstant ? next.constant : blank(next.schema, form.root));
  };
  return (
    <>
      <Radio.Group {...words} value={chosen?.key ?? ''} onChange={choose}>
        <div className={classes.rows}>
          {field.variants.map((one) => <Radio key={one.key} size="xs" value={one.key} label={one.title} disabled={disabled} />)}
        </div>
      </Radio.Group>
      {chosen && !chosen.hasConstant && isRecord(chosen.schema['properties']) ? (
        <div className={classes.indent} style={{ marginTop: 8 }}>
          <ObjectFields schema={chosen.schema} value={value} path={path} />
        </div>
      ) : null}
    </>
  );
}
