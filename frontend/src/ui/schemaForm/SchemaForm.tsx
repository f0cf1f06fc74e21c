import Form from '@rjsf/mantine';
import type { UiSchema } from '@rjsf/utils';
import '@mantine/dates/styles.css';
import type { ReactNode } from 'react';
import { validator } from './validator';

interface Props {
  schema: Record<string, unknown>;
  value: unknown;
  onChange: (value: unknown) => void;
  onSubmit: (value: unknown) => void;
  children: ReactNode;
}

const ui: UiSchema = { 'ui:submitButtonOptions': { norender: true } };

/** A form drawn from a JSON Schema. `children` stand below it: messages and buttons. */
export function SchemaForm({ schema, value, onChange, onSubmit, children }: Props) {
  return (
    <Form
      schema={schema}
      uiSchema={ui}
      validator={validator}
      formData={value}
      showErrorList={false}
      noHtml5Validate
      onChange={(event) => onChange(event.formData)}
      onSubmit={(event) => onSubmit(event.formData)}
    >
      {children}
    </Form>
  );
}
