import classes from '../Form.module.css';
import { usePathError } from '../FormContext';
import { ObjectFields } from '../ObjectFields';
import type { FieldProps } from '../SchemaField';
import { ErrorLine } from './ErrorLine';

/** Fields that belong together, under one heading. */
export function GroupField({ field, path, value }: FieldProps) {
  return (
    <fieldset className={classes.group}>
      <legend className={classes.legend}>{field.title}</legend>
      <div className={classes.indent}>
        <ObjectFields schema={field.schema} value={value} path={path} />
      </div>
      <ErrorLine>{usePathError(path)}</ErrorLine>
    </fieldset>
  );
}
