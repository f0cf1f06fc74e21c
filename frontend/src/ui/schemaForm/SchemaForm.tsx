import Form from '@rjsf/mantine';
import type { RJSFValidationError, UiSchema } from '@rjsf/utils';
import { DatesProvider } from '@mantine/dates';
import '@mantine/dates/styles.css';
import 'dayjs/locale/de';
import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { useIntl } from 'react-intl';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { asAsked, given, looks } from './answers';
import type { Schema } from './answers';
import { asAskedNow, onlyAsked, orderOf } from './conditions';
import { asErrorSchema } from './faults';
import type { Fault } from './faults';
import { FilesWidget } from './FilesWidget';
import { PersonWidget } from './PersonWidget';
import { TableWidget } from './TableWidget';
import { TextsWidget } from './TextsWidget';
import { validator } from './validator';

interface Props {
  schema: Schema;
  value: unknown;
  onChange: (value: unknown) => void;
  onSubmit: (value: unknown) => void;
  children: ReactNode;
  /** What the server said of the answers that were sent. */
  faults?: Fault[];
  /** The flow whose form it is: files are attached to it. */
  flow?: string;
}

// The other complaints of the validator already read as sentences.
const WORDS: Record<string, MessageId> = { required: 'flows.form.required', type: 'flows.form.type', enum: 'flows.form.enum' };
const WIDGETS = { texts: TextsWidget, files: FilesWidget, person: PersonWidget, table: TableWidget };
const NO_FAULTS: Fault[] = [];

/** A form drawn from a JSON Schema. `children` stand below it: messages and buttons. */
export function SchemaForm({ schema, value, onChange, onSubmit, children, faults = NO_FAULTS, flow }: Props) {
  const t = useT();
  const language = useIntl().locale.split('-')[0] ?? 'en';
  const inWords = (errors: RJSFValidationError[]) => errors.map((one) => {
    const said = WORDS[one.name ?? ''];
    return said ? { ...one, message: t(said) } : one;
  });
  // What the form itself refused; in a table it is shown at its cell.
  const [refused, setRefused] = useState<Fault[]>(NO_FAULTS);
  // The library draws the form anew for each new schema, so there is a new one only where it says something else.
  const now = JSON.stringify(asAskedNow(schema, value));
  const asked = useMemo(() => asAsked(JSON.parse(now) as Schema), [now]);
  const ui = useMemo<UiSchema>(() => ({ ...looks(schema), 'ui:order': [...orderOf(schema), '*'], 'ui:submitButtonOptions': { norender: true } }), [schema]);
  const context = useMemo(() => ({ flow, faults: [...faults, ...refused] }), [flow, faults, refused]);
  const extra = useMemo(() => asErrorSchema(faults), [faults]);
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
      extraErrors={extra}
      extraErrorsBlockSubmit={false}
      formContext={context}
      onError={(errors) => setRefused(errors.map((one) => ({ path: (one.property ?? '').replace(/^\./, ''), message: one.message ?? '' })))}
      onChange={(event) => onChange(given(event.formData))}
      onSubmit={(event) => { setRefused(NO_FAULTS); onSubmit(onlyAsked(schema, given(event.formData))); }}
    >
      {children}
    </Form>
    </DatesProvider>
  );
}
