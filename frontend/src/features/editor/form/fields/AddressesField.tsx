import { useT } from '~/app/messages';
import type { FieldProps } from '../SchemaField';
import { TemplateField } from './ExpressionField';
import { TextsField } from './TextsField';

/** Mail addresses: one text with commas, an expression, or the list that a document may hold. */
export function AddressesField(props: FieldProps) {
  const t = useT();
  if (Array.isArray(props.value)) return <TextsField {...props} />;
  return <TemplateField {...props} field={{ ...props.field, help: props.field.help || t('editor.form.addresses') }} />;
}
