import { lazy, Suspense, useMemo, useState } from 'react';
import { useT } from '~/app/messages';
import type { Schema } from '../schema';
import classes from './Builder.module.css';

// Forms from a schema are read only where one is shown.
const SchemaForm = lazy(() => import('~/ui/schemaForm/SchemaForm').then((module) => ({ default: module.SchemaForm })));
const nothing = () => undefined;

/** The form as people will see it, to be tried; nothing is sent from here. */
export function FormPreview({ form }: { form: Schema }) {
  const t = useT();
  const [value, setValue] = useState<unknown>({});
  // The document keeps numbers exactly; the form reads plain ones.
  const text = JSON.stringify(form);
  const plain = useMemo(() => JSON.parse(text) as Schema, [text]);
  return (
    <section className={classes.preview} aria-label={t('editor.question.preview')}>
      <h4>{t('editor.question.preview')}</h4>
      <Suspense fallback={null}>
        <SchemaForm schema={plain} value={value} onChange={setValue} onSubmit={nothing}>{null}</SchemaForm>
      </Suspense>
    </section>
  );
}
