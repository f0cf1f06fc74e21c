import Form from '@rjsf/mantine';
import type { RJSFValidationError, UiSchema } from '@rjsf/utils';
import { DatesProvider } from '@mantine/dates';
import '@mantine/dates/styles.css';
import 'dayjs/locale/de';
import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useIntl } from 'react-intl';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { asAsked, given, looks } from './answers';
import type { Schema } from './answers';
import { TextsWidget } from './TextsWidget';
import { validator } from './validator';

interface Props {
  schema: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
  onSubmit: (value: unknown) => void;
  children: ReactNode;
}

// The other complaints of the validator already read as sentences.
const WORDS: Record<string, MessageId> = { required: 'flows.form.required', type: 'flows.form.type', enum: 'flows.form.enum' };
const WIDGETS = { texts: TextsWidget };
// Refused answers are shown at their fields; the form library would also print them to the console.
const shownAtTheFields = () => undefined;

/** A form drawn from a JSON Schema. `children` stand below it: messages and buttons. */
export function SchemaForm({ schema, value, onChange, onSubmit, children }: Props) {
  const t = useT();
  const language = useIntl().locale.split('-')[0] ?? 'en';
  const inWords = (errors: RJSFValidationError[]) => errors.map((one) => {
    const said = WORDS[one.name ?? ''];
    return said ? { ...one, message: t(said) } : one;
  });
  const asked = useMemo(() => asAsked(schema), [schema]);
  const ui = useMemo<UiSchema>(() => ({ ...looks(schema), 'ui:submitButtonOptions': { norender: true } }), [schema]);
  return (
    <DatesProvider settings={{ locale: language }}>
    <Form
      schema={asked}
      uiSchema={ui}
      widgets={WIDGETS}
      validator={validator}
      formData={value}
      showErrorList={false}
      noHtml5Validate
      transformErrors={inWords}
      onError={shownAtTheFields}
      onChange={(event) => onChange(given(event.formData))}
      onSubmit={(event) => onSubmit(given(event.formData))}
    >
      {children}
    </Form>
    </DatesProvider>
  );
}
